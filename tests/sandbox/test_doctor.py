"""The doctor: each finding says what it is, and what is missing says how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import doctor, layers
from sandbox.drivers import SandboxError


def test_every_finding_is_complete():
    findings = doctor.findings()
    assert {
        "Linux",
        "Control groups",
        "Seccomp",
        "User notification",
        "Landlock",
        "Privileges",
        "Host users",
        "Idmapped mounts",
        "Fresh /proc",
    } <= {finding.name for finding in findings}
    assert {finding.state for finding in findings} <= {"found", "missing", "optional"}
    assert all(finding.detail for finding in findings)
    assert all(finding.mend for finding in findings if finding.state == "optional")


def test_without_an_essential_layer_nothing_starts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "_seccomp", lambda: doctor.Finding("Seccomp", "missing", "No filters.", "Get some."))
    with pytest.raises(SandboxError, match=r"Seccomp: No filters\. Get some\.") as refused:
        doctor.require_essentials()
    assert refused.value.code == "host_unfit"


@pytest.mark.parametrize(("actions", "state"), [("kill_process errno user_notif allow", "found"), ("allow", "missing")])
def test_asking_the_jail_is_a_layer_of_its_own(monkeypatch: pytest.MonkeyPatch, actions: str, state: str):
    monkeypatch.setattr(Path, "read_text", lambda path: actions)
    assert doctor._user_notification().state == state


def test_an_old_kernel_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platform.release", lambda: "4.19.0-custom")
    assert doctor._kernel().state == "missing"
    monkeypatch.setattr("platform.release", lambda: "nonsense")
    assert doctor._kernel().state == "missing"


def test_each_kind_of_namespace_and_each_controller_has_a_line():
    names = {finding.name for finding in doctor.findings()}
    assert {f"{kind} namespace" for kind in ("User", "Mount", "Pid", "Ipc", "Uts", "Net", "Cgroup", "Time")} <= names
    assert {name for name in names if name.startswith("Controller ")} or "Control groups" in names


def test_a_refused_namespace_is_missing_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers, "_KINDS", {"user": layers._KINDS["user"], "net": (0x1, "no such flag")})
    user, net = layers.namespaces()
    assert (net.name, net.state) == ("Net namespace", "missing")
    assert "Invalid argument" in net.detail
    assert net.mend.startswith("sudo sysctl -w")
    assert user.state == "found" or user.mend


def test_a_host_with_few_open_files_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers, "_FEW_FILES", 1 << 63)
    assert layers.limits().state == "optional"
    monkeypatch.setattr(layers, "_FEW_FILES", 0)
    assert layers.limits().state == "found"

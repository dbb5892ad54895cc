"""What a container is told, without an engine: the outer profile, the plan, the doctor's words, the order of images."""

from __future__ import annotations

import errno
import json
import platform
from pathlib import Path

import pytest

from sandbox.container import checkup
from sandbox.container.engine import Engine, Facts, build_order
from sandbox.container.plan import container_plan
from sandbox.container.profile import outer_profile, profile_text
from sandbox.drivers import SandboxError, SandboxSpec
from sandbox.images import described
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import HOME, PROJECT
from sandbox.policy import load_policy, policy_names
from sandbox.policy.compile import ALLOW, ASK, compile_policy, evaluate
from sandbox.policy.syscalls import AUDIT_ARCH, NUMBERS
from sandbox.slots import MIB, Slots

SETTINGS = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"


@pytest.mark.parametrize("policy", policy_names())
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_outer_profile_stops_nothing_that_the_inner_filter_lets_pass_or_asks(policy: str, machine: str):
    profile = outer_profile(load_policy(policy), machine)
    syscalls = profile["syscalls"]
    assert isinstance(syscalls, list)
    answers = {call: entry for entry in syscalls for call in entry["names"]}
    assert sum(len(entry["names"]) for entry in syscalls) == len(answers) == len(NUMBERS[machine]), (
        "one answer for each"
    )
    program = compile_policy(load_policy(policy), machine)
    for call, number in NUMBERS[machine].items():
        inner, entry = evaluate(program, number, AUDIT_ARCH[machine]), answers[call]
        if inner in (ALLOW, ASK):
            assert entry["action"] == "SCMP_ACT_ALLOW", call
        elif entry["action"] == "SCMP_ACT_ERRNO":
            assert entry["errnoRet"] == inner & 0xFFFF, call


def test_what_no_policy_knows_is_as_on_an_older_kernel():
    profile = json.loads(profile_text("default"))
    assert profile["defaultErrnoRet"] == errno.ENOSYS
    assert len(profile["architectures"]) == 1, "calls of any other kill"
    refused = {call: entry.get("errnoRet") for entry in profile["syscalls"] for call in entry["names"]}
    assert refused["clone3"] == errno.ENOSYS
    assert refused["fallocate"] == errno.EOPNOTSUPP
    assert profile == outer_profile(load_policy("default"), platform.machine())


def test_a_plan_for_a_container_has_nothing_of_the_hosts_system(tmp_path: Path):
    project, data = tmp_path / "project", tmp_path / "data"
    project.mkdir()
    data.mkdir()
    image = described()[0]
    spec = SandboxSpec("id", image, Slots(memory=512 * MIB), project, {"set": data})
    plan = container_plan(spec, tmp_path, SETTINGS, 1_900_000_000, [0], spare=False)
    assert {bind.target for bind in plan.binds} == {PROJECT, "/datasets/set"}
    assert all(link.startswith(f"{HOME}/") for link in plan.links)
    assert plan.links[f"{HOME}/.local/bin/python"] == "/usr/bin/python3.11"
    assert plan.environment["VIRTUAL_ENV"] == f"{HOME}/.local"
    small = container_plan(SandboxSpec("id", image, Slots(memory=64 * MIB)), tmp_path, SETTINGS, 1, [0], spare=True)
    assert 0 < small.space < 64 * MIB


def test_processes_of_groups_beneath_are_the_sandboxes(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "cgroup.procs").write_text("1\n")
    (tmp_path / "inner" / "cgroup.procs").write_text("2\n3\n")
    assert Cgroup(1, {"memory": tmp_path}, nested=True).processes() == [1, 2, 3]
    assert Cgroup(1, {"memory": tmp_path}).processes() == [1]
    assert Cgroup(1, {"memory": tmp_path / "gone"}, nested=True).processes() == []


def test_bases_are_built_first_and_what_is_unknown_is_named():
    assert build_order(["lua", "c"])[0].directory.name == "python"
    assert {image.directory.name for image in build_order([])} == {image.directory.name for image in described()}
    with pytest.raises(SandboxError, match="nonsense"):
        build_order(["nonsense"])


def test_without_an_engine_the_driver_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(SandboxError) as refused:
        Engine()
    assert refused.value.code == "engine_unreachable"
    (finding,) = checkup.findings()
    assert (finding.name, finding.state) == ("Docker Engine", "missing")
    assert "DOCKER_HOST" in finding.mend
    with pytest.raises(SandboxError, match="Docker Engine"):
        checkup.require_essentials()


@pytest.mark.parametrize(
    ("runtime", "cgroups", "missing"),
    [("runc", "cgroupfs", []), ("runc", "systemd", ["Cgroup driver"]), ("runsc", "cgroupfs", ["Runtime"])],
)
def test_what_an_engine_lacks_is_named(runtime: str, cgroups: str, missing: list[str]):
    facts = Facts("20.10", cgroups, ("runc", "runsc"), "overlay2")
    findings = [checkup.cgroup_driver(facts), checkup.runtime(runtime, facts)]
    assert [finding.name for finding in findings if finding.state == "missing"] == missing
    assert all(finding.mend for finding in findings if finding.state == "missing")
    assert checkup.runtime("absent", facts).state == "missing"

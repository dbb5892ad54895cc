"""The plan of a sandbox whose root is an image's own, and a runner that is a guest there."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.drivers import SandboxSpec
from sandbox.images import Image, images
from sandbox.jail import claim, guest, overlay
from sandbox.jail.plan import HOME, PROJECT, Plan, make_plan, only_programs
from sandbox.policy import load_policy
from sandbox.slots import Slots
from tests.sandbox.roots.archives import small_root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("planned") / "root", ["bash", "cat", "mount"])


@pytest.fixture
def image(root: Path) -> Image:
    own = {"PATH": "/opt/bin:/usr/bin", "TOOL": "x"}
    return replace(next(iter(images().values())), name="tiny", root=root, environment=own, requires=())


def planned(image: Image, folder: Path, policy: str = "default") -> Plan:
    spec = SandboxSpec("id", image, Slots(), policy=policy)
    return make_plan(spec, folder, folder / "prefix", None, [0])


def test_nothing_of_the_host_is_bound_but_modules_and_devices(image: Image, root: Path, tmp_path: Path):
    plan = planned(image, tmp_path)
    assert plan.root == str(root)
    shown = {bind.source for bind in plan.binds if not bind.device}
    assert shown == {sysconfig.get_path("stdlib"), str(tmp_path / "prefix" / "lib")}
    assert all(bind.target.startswith(f"{guest.PLACE}/") for bind in plan.binds if not bind.device)
    assert not any(link.startswith(("/bin", "/lib", HOME)) for link in plan.links)
    assert Plan.from_json(plan.to_json()) == plan


def test_its_programs_come_first_and_know_of_no_environment_of_the_hosts(image: Image, tmp_path: Path):
    environment = planned(image, tmp_path).environment
    assert environment["PATH"] == f"{HOME}/.local/bin:/opt/bin:/usr/bin"
    assert environment["TOOL"] == "x"
    assert environment["HOME"] == HOME
    assert not any(name.startswith("VIRTUAL_ENV") for name in environment)


def test_a_spare_one_gets_a_project_and_names_and_no_other_root(image: Image, tmp_path: Path):
    spec = SandboxSpec("id", image, Slots(), tmp_path, hostname="hens")
    plan = make_plan(spec, tmp_path, tmp_path / "prefix", None, [0])
    spare = replace(planned(image, tmp_path), spare=True, folders=[PROJECT])
    more = claim.differences(spare, plan)
    assert [bind.target for bind in more.binds] == [PROJECT]
    assert more.root == ""
    assert more.files.keys() == set(claim.ROOT_FILES)
    assert "hens" in more.files["/etc/hosts"]
    with pytest.raises(ValueError, match="its root"):
        claim.differences(replace(spare, root=""), plan)


def test_what_a_strict_policy_lets_start_is_of_the_image(root: Path, tmp_path: Path):
    programs = load_policy("strict").programs
    (root / "usr" / "bin" / "own").touch()
    binds = only_programs(programs, tmp_path, ["own"], str(root))
    folders = {bind.target for bind in binds if not bind.executable}
    files = {bind.target: bind.source for bind in binds if bind.executable}
    assert folders == {"/usr/bin"}, "what is a link, or not there, is none"
    assert files == {f"/usr/bin/{name}": f"{root}/usr/bin/{name}" for name in ("bash", "cat", "own")}


def test_a_link_in_the_image_names_no_program_of_the_host(root: Path, tmp_path: Path):
    (root / "usr" / "bin" / "sh").symlink_to("/../../usr/bin/bash")
    (root / "usr" / "bin" / "vim").symlink_to("/etc/passwd")
    binds = only_programs(load_policy("strict").programs, tmp_path, [], str(root))
    assert all(bind.source.startswith(f"{root}/") for bind in binds)


def test_what_lies_beneath_a_mount_is_made_after_it(image: Image, tmp_path: Path):
    beneath = overlay.beneath_mounts(planned(image, tmp_path))
    assert [beneath(name) for name in ("/dev/fd", f"{HOME}/.bashrc", "/run/x", "/proc/stat", "/tmp/x")] == [True] * 5
    assert [beneath(name) for name in ("/etc/passwd", "/var/tmp", "/home", "/processes")] == [False] * 4


def test_a_settled_runner_imports_from_its_own_place_only():
    """In a process of its own: it is what the forks of a zygote do."""
    code = (
        "import json, sys\nfrom sandbox.jail import guest\nguest.settle()\n"
        "print(json.dumps([sys.path, list(json.__path__), 'wave' in sys.modules]))\n"
        "try:\n    import wave\nexcept ImportError:\n    print('not there')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    paths, package, loaded = json.loads(done.stdout.splitlines()[0])
    assert paths
    assert all(path.startswith(f"{guest.PLACE}/") for path in [*paths, *package])
    assert not loaded
    assert done.stdout.endswith("not there\n"), "nothing is bound at its place here"

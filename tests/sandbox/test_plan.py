"""The plan of a sandbox: pure data, the same after a journey through JSON."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.drivers import SandboxSpec
from sandbox.images import Image, ImageError, image_for_kernel, images, read_image
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import HOME, PROJECT, Plan, make_plan
from sandbox.jail.shown import with_shown
from sandbox.slots import MIB, Slots


@pytest.fixture(scope="session")
def image() -> Image:
    return next(iter(images().values()))


def plan_for(image: Image, folder: Path, **given: object) -> Plan:
    cores: list[int] = given.pop("cores", [0])  # type: ignore[assignment]
    spec = SandboxSpec(id="id", image=image, slots=given.pop("slots", Slots()), **given)  # type: ignore[arg-type]
    return make_plan(spec, folder, folder / "prefix", 12345, cores)


def test_it_survives_json(image: Image, tmp_path: Path):
    plan = plan_for(image, tmp_path, project=tmp_path, datasets={"shared": tmp_path})
    assert Plan.from_json(plan.to_json()) == plan


def test_only_the_project_is_writable(image: Image, tmp_path: Path):
    plan = plan_for(image, tmp_path, project=tmp_path, datasets={"shared": tmp_path})
    assert [bind.target for bind in plan.binds if bind.writable and not bind.device] == [PROJECT]
    assert [bind.target for bind in plan.binds if bind.target.startswith("/datasets")] == ["/datasets/shared"]


def test_no_part_of_the_host_with_secrets_is_shown(image: Image, tmp_path: Path):
    shown = {bind.source for bind in plan_for(image, tmp_path).binds}
    assert shown.isdisjoint({"/", "/etc", "/home", "/root", "/var", "/run", "/proc", "/sys", "/dev", "/etc/shadow"})
    assert not any("ssl/private" in source or "ssh" in source for source in shown)


def test_threads_are_the_granted_cores(image: Image, tmp_path: Path):
    environment = plan_for(image, tmp_path, slots=Slots(cpu=2.5), cores=[1, 4, 7]).environment
    assert {environment[name] for name in image.thread_variables} == {"3"}
    assert environment["HOME"] == HOME


def test_temporary_space_is_bounded_by_memory_and_disk(image: Image, tmp_path: Path):
    plan = plan_for(image, tmp_path, slots=Slots(memory=256 * MIB, disk=1024 * MIB))
    assert set(plan.shared) == {"/tmp", HOME, "/dev/shm"}
    assert plan.space == 128 * MIB
    assert plan_for(image, tmp_path, slots=Slots(disk=10 * MIB)).space == 10 * MIB


@given(st.integers(32, 1 << 20), st.integers(1, 1 << 20))
def test_full_temporary_folders_leave_memory_for_programs(image: Image, memory: int, disk: int):
    plan = plan_for(image, Path("/tmp"), slots=Slots(memory=memory * MIB, disk=disk * MIB))
    assert plan.space + sum(plan.tmpfs.values()) <= memory * MIB * 3 // 4


def test_the_files_of_the_machine_show_the_cores_it_has(image: Image, tmp_path: Path):
    plan = plan_for(image, tmp_path, cores=[3, 5])
    assert plan.files["/sys/devices/system/cpu/online"] == "3,5\n"
    shown = with_shown(plan, Cgroup(2, {"memory": tmp_path / "group"}), tmp_path / "shown")
    covered = {bind.target: bind for bind in shown.binds if bind not in plan.binds}
    proc = {"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg"}
    assert covered.keys() == {*proc, "/sys/fs/cgroup"}
    assert not any(bind.writable for bind in covered.values())


@pytest.mark.parametrize("wrong", [{"cpu": 0}, {"cpu": float("nan")}, {"memory": 1}, {"processes": 1}, {"gpu": -1}])
def test_slots_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=r"is|between"):
        Slots(**wrong)  # type: ignore[arg-type]


def test_images_are_found_by_their_directories_and_kernels(image: Image):
    assert image_for_kernel("python3") is image
    assert image_for_kernel("cobol") is None
    assert (image.directory / "selftest.py").exists()


def test_an_images_policy_must_exist(image: Image, tmp_path: Path):
    text = (image.directory / "image.toml").read_text()
    (tmp_path / "image.toml").write_text('policy = "strict"\n' + text)
    assert read_image(tmp_path).policy == "strict"
    (tmp_path / "image.toml").write_text('policy = "lax"\n' + text)
    with pytest.raises(ImageError, match="no policy 'lax', only build, default, strict"):
        read_image(tmp_path)


def test_a_stricter_policy_limits_what_was_granted(image: Image, tmp_path: Path):
    granted = Slots(processes=200, disk=1024 * MIB)
    usual = plan_for(image, tmp_path, slots=granted)
    strict = plan_for(image, tmp_path, slots=granted, policy="strict")
    assert (usual.slots, usual.file_size, usual.open_files) == (granted, 1024 * MIB, 4096)
    assert (strict.slots.processes, strict.file_size, strict.open_files) == (64, 256 * MIB, 1024)
    assert plan_for(image, tmp_path, slots=Slots(processes=20), policy="strict").slots.processes == 20


def test_programs_are_a_matter_of_mounts(image: Image, tmp_path: Path):
    usual = plan_for(image, tmp_path, project=tmp_path)
    assert usual.own_programs
    assert all(bind.executable for bind in usual.binds)
    strict = plan_for(image, tmp_path, project=tmp_path, policy="strict")
    started = {bind.target: bind.executable for bind in strict.binds}
    assert (strict.own_programs, started[PROJECT], started["/usr/bin"], started["/usr"]) == (False, False, False, True)
    assert started[os.path.realpath("/usr/bin/ls")]
    assert "/usr/bin/perl" not in started, "it is there, under /usr/bin, to be read"


@pytest.mark.parametrize("text", ["", "name = 1", 'name = "x"\ncolour = "red"', "[[", 'name = "x"\nkernels = 3'])
def test_a_wrong_image_file_is_named_in_the_error(text: str, tmp_path: Path):
    (tmp_path / "image.toml").write_text(text)
    with pytest.raises(ImageError, match=r"image\.toml"):
        read_image(tmp_path)

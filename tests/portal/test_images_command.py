"""``manage.py images``: adding, listing and removing an operator's own images."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal.models import User
from sandbox.images import verdicts
from sessions.lifecycle import State
from sessions.models import Session
from tests.sandbox.roots.archives import small_root, tarred

pytestmark = pytest.mark.django_db


@pytest.fixture
def state(tmp_path: Path, settings: Any) -> Iterator[Path]:
    before = verdicts.state()
    settings.MADANG_STATE = tmp_path / "state"
    verdicts.use(settings.MADANG_STATE)
    yield settings.MADANG_STATE
    verdicts.use(before)


def images(*arguments: str) -> str:
    out = StringIO()
    call_command("images", *arguments, stdout=out)
    return out.getvalue()


def test_an_image_is_added_listed_and_removed_with_a_word_on_what_was_done(state: Path, tmp_path: Path):
    archive = tarred(small_root(tmp_path / "root", ["bash"]), tmp_path / "tools.tar.gz", "w:gz")
    said = images("add", "tools:1", "--from", str(archive))
    assert "files, without layers" in said
    assert "Added tools:1" in said
    assert "it has no image.toml" in said
    listed = images("list")
    assert listed.startswith("tools:1  ")
    assert str(archive) in listed
    with pytest.raises(CommandError, match="already"):
        images("add", "tools:1", "--from", str(archive))
    assert "Removed tools:1" in images("remove", "tools:1")
    assert images("list") == ""
    with pytest.raises(CommandError, match="No image called"):
        images("remove", "tools:1")


def test_an_image_that_is_too_large_or_none_is_refused_in_a_sentence(state: Path, tmp_path: Path):
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(CommandError, match="no tar"):
        images("add", "tools", "--from", str(tmp_path / "text"))
    with pytest.raises(CommandError, match="more than 0 bytes"):
        images("add", "tools", "--from", str(small_root(tmp_path / "root", ["bash"])), "--most-gib", "0")


def test_an_image_is_not_taken_from_under_a_session(state: Path, tmp_path: Path, alice: User):
    images("add", "tools", "--from", str(small_root(tmp_path / "root", ["bash"])))
    session = Session.objects.create(
        user=alice, image="tools", slots={}, state=State.RUNNING.value, idle_timeout=60, hostname="x"
    )
    with pytest.raises(CommandError, match="1 sessions run on tools"):
        images("remove", "tools")
    assert (state / "roots" / "tools").is_dir()
    Session.objects.filter(pk=session.pk).update(state=State.STOPPED.value, ended=timezone.now())
    images("remove", "tools")
    assert not (state / "roots" / "tools").exists()

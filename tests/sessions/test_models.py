"""What the database itself enforces."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from sessions.models import AppendOnly, Kernel, Session, UsageLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("alice@example.org")


def session(user: Any, **fields: Any) -> Session:
    ordinary = {"image": "python:3", "slots": {}, "state": "running", "idle_timeout": 60}
    return Session.objects.create(user=user, **{**ordinary, **fields})


def line(owner: Session, sequence: int = 0, **fields: Any) -> UsageLine:
    counted = ("cpu_ms", "wall_ms", "memory_kib_s", "bytes_read", "bytes_written", "bytes_received", "bytes_sent")
    values = {**dict.fromkeys((*counted, "memory_peak_kib"), 1), **fields}
    return UsageLine.objects.create(session=owner, sequence=sequence, begin=NOW, end=NOW, **values)


def refused(write: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write()


def test_a_line_is_never_changed(alice: Any) -> None:
    written = line(session(alice))
    written.cpu_ms = 0
    for attempt in (written.save, written.delete, UsageLine.objects.all().delete):
        with pytest.raises(AppendOnly):
            attempt()
    with pytest.raises(AppendOnly):
        UsageLine.objects.update(cpu_ms=0)
    assert UsageLine.objects.get().cpu_ms == 1


def test_not_even_behind_djangos_back(alice: Any) -> None:
    line(session(alice))

    def update() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE compute_usageline SET cpu_ms = 0")

    refused(update)
    if connection.vendor == "postgresql":

        def remove() -> None:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM compute_usageline")

        refused(remove)
    assert UsageLine.objects.get().cpu_ms == 1


def test_its_session_and_user_stay_too(alice: Any) -> None:
    owner = session(alice)
    line(owner)
    with pytest.raises(ProtectedError):
        owner.delete()
    with pytest.raises(ProtectedError):
        alice.delete()


def test_a_line_counts_once_and_only_upwards(alice: Any) -> None:
    owner = session(alice)
    line(owner, 0, final=True)
    refused(lambda: line(owner, 0))
    refused(lambda: line(owner, 1, final=True))
    refused(lambda: line(owner, 1, cpu_ms=-1))
    line(owner, 1)


def test_one_live_session_for_each_project(alice: Any, django_user_model: Any) -> None:
    project = uuid.uuid4()
    first = session(alice, project=project)
    refused(lambda: session(alice, project=project, state="pending"))
    bob = django_user_model.objects.create_user("bob@example.org")
    refused(lambda: session(bob, project=project))
    session(alice, project=project, state="stopped", ended=NOW)
    session(alice, project=None)
    session(alice, project=None)
    first.state, first.ended = "failed", NOW
    first.save()
    session(alice, project=project)


def test_what_is_over_has_an_end_and_what_lives_has_none(alice: Any) -> None:
    refused(lambda: session(alice, state="stopped"))
    refused(lambda: session(alice, state="running", ended=NOW))


def test_one_document_for_each_path(alice: Any) -> None:
    owner = session(alice)
    Kernel.objects.create(session=owner, name="python3", path="demo/a.ipynb", document=uuid.uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        Kernel.objects.create(session=owner, name="python3", path="demo/a.ipynb", document=uuid.uuid4())
    Kernel.objects.create(session=owner, name="python3", path="demo/a.ipynb")


def test_kernels_are_found_by_their_owner_while_their_session_lives(alice: Any, django_user_model: Any) -> None:
    owner = session(alice)
    Kernel.objects.create(session=owner, name="python3")
    assert Kernel.objects.open_to(alice).count() == 1
    assert Kernel.objects.open_to(django_user_model.objects.create_user("bob@example.org")).count() == 0
    owner.state, owner.ended = "stopped", NOW
    owner.save()
    assert Kernel.objects.open_to(alice).count() == 0

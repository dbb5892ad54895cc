"""Sessions, what happened to them, what they used, and which kernels they hold.

Only the session service writes sessions, transitions and usage lines; web writes kernels.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions.ledger import COUNTED
from sessions.lifecycle import FINAL, LIVE, State

_LIVE = sorted(state.value for state in LIVE)
_FINAL = sorted(state.value for state in FINAL)


class SessionQuerySet(models.QuerySet["Session"]):
    def of(self, user: Any) -> SessionQuerySet:
        """The sessions ``user`` may see. Every look-up on somebody's behalf starts here."""
        return self.filter(user_id=user.pk)

    def live(self) -> SessionQuerySet:
        return self.filter(state__in=_LIVE)


class Session(models.Model):
    """One sandbox for one user on one project, with granted slots.

    ``project`` is no foreign key: sessions know projects only through a ProjectDirectory.
    ``directory`` is the host folder that is mounted, "" for a session without a project.
    ``policy`` is "" for the image's own. ``refusals``: what its policy refused, the latest first (see refusals.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="compute_sessions")
    project = models.UUIDField(null=True, blank=True)
    directory = models.CharField(max_length=4096, blank=True)
    hostname = models.CharField(max_length=63, default="madang")
    image = models.CharField(max_length=100)
    policy = models.CharField(max_length=40, blank=True)
    slots = models.JSONField()
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    idle_timeout = models.PositiveIntegerField()
    idle_deadline = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    usage = models.JSONField(default=dict)
    refusals = models.JSONField(default=list, blank=True)

    objects: ClassVar[models.Manager[Session]] = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["user", "project"], condition=Q(state__in=_LIVE), name="one_live_session_per_project"
            ),
            models.CheckConstraint(
                condition=Q(state__in=_FINAL, ended__isnull=False) | Q(state__in=_LIVE, ended__isnull=True),
                name="ended_when_final",
            ),
        )
        indexes = (
            models.Index(fields=["user", "-created"], name="session_of_user"),
            models.Index(fields=["state"], condition=Q(state__in=_LIVE), name="session_live"),
        )

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def live(self) -> bool:
        return self.state in LIVE


class Transition(models.Model):
    """A change of state, with its reason. ``sequence`` numbers those of a session from 0."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="transitions")
    sequence = models.PositiveIntegerField()
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("session", "sequence")
        constraints = (
            models.UniqueConstraint(fields=["session", "sequence"], name="transition_once"),  # a retry counts once
        )

    def __str__(self) -> str:
        return f"{self.before or 'new'} → {self.after}"


class AppendOnly(Exception):
    """A line of the ledger is never changed and never removed."""


class UsageLineQuerySet(models.QuerySet["UsageLine"]):
    def update(self, **values: Any) -> int:
        raise AppendOnly("usage lines are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly("usage lines are never removed")


class UsageLine(models.Model):
    """One line of the append-only ledger: what a session used from ``begin`` to ``end`` (see ledger.py).

    The database refuses changes too: a trigger (migration 0002) on every database, and one
    against removal on PostgreSQL.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="usage_lines")
    sequence = models.PositiveIntegerField()
    begin = models.DateTimeField()
    end = models.DateTimeField()
    cpu_ms = models.BigIntegerField()
    wall_ms = models.BigIntegerField()
    memory_kib_s = models.BigIntegerField()
    bytes_read = models.BigIntegerField()
    bytes_written = models.BigIntegerField()
    bytes_received = models.BigIntegerField(default=0)
    bytes_sent = models.BigIntegerField(default=0)
    memory_peak_kib = models.BigIntegerField()
    final = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[UsageLine]] = UsageLineQuerySet.as_manager()

    class Meta:
        ordering = ("session", "sequence")
        constraints = (
            models.UniqueConstraint(fields=["session", "sequence"], name="usage_line_once"),  # a retry counts once
            models.UniqueConstraint(fields=["session"], condition=Q(final=True), name="one_final_usage_line"),
            models.CheckConstraint(
                condition=Q(**{f"{name}__gte": 0 for name in COUNTED}),
                name="usage_only_grows",
            ),
        )

    def __str__(self) -> str:
        return f"{self.session_id} #{self.sequence}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("usage lines are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("usage lines are never removed")


class KernelQuerySet(models.QuerySet["Kernel"]):
    def of(self, user: Any) -> KernelQuerySet:
        """The kernels of ``user`` whose session lives: of an ended session nothing is left."""
        return self.filter(session__user_id=user.pk, session__state__in=_LIVE)


class Kernel(models.Model):
    """Where a Jupyter kernel id leads: the routing table of the Jupyter endpoints.

    ``name`` is the kernelspec's. A kernel that belongs to a Jupyter session (an open notebook or
    console) has its id in ``document``, and that document's ``path`` (with the project's slug),
    ``kind`` (``notebook``, ``console``...) and ``label`` (its title).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="kernels")
    name = models.CharField(max_length=100)
    document = models.UUIDField(null=True, blank=True, unique=True)
    path = models.CharField(max_length=1024, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    label = models.CharField(max_length=255, blank=True)
    created = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager[Kernel]] = KernelQuerySet.as_manager()

    class Meta:
        ordering = ("created", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["session", "path"],
                condition=Q(document__isnull=False) & ~Q(path=""),
                name="one_document_per_path",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class RunQuerySet(models.QuerySet["Run"]):
    def of(self, user: Any) -> RunQuerySet:
        """The runs ``user`` may see."""
        return self.filter(user_id=user.pk)


class Run(models.Model):
    """A program's execution from its files to its answer, in a session of its own, see runs.py. Kept for a day.

    ``answer`` is JSON as text: what programs print may hold characters that no JSON column takes.
    ``last`` is when it must be over, whatever happens.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="compute_runs")
    session = models.ForeignKey(Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs")
    image = models.CharField(max_length=100)
    language = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=10, default="queued")
    cancelled = models.BooleanField(default=False)
    answer = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now)
    last = models.DateTimeField()

    objects: ClassVar[models.Manager[Run]] = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        indexes = (models.Index(fields=["user", "-created"], name="run_of_user"),)

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

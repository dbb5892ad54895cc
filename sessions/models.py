"""Sessions, what happened to them, what they used, which kernels they hold, and who sees their ports.

Only the session service writes sessions, transitions and usage lines; web writes kernels and port shares.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions.ledger import SUMMED
from sessions.lifecycle import FINAL, LIVE, State
from sessions.projects import Right, project_directory

_LIVE = sorted(state.value for state in LIVE)
_FINAL = sorted(state.value for state in FINAL)


def _open_to(user: Any, right: Right, prefix: str = "") -> Q:
    own = Q(**{f"{prefix}project": None, f"{prefix}user_id": user.pk})
    return own | Q(**{f"{prefix}project__in": project_directory().open_to(user, right)})


class SessionQuerySet(models.QuerySet["Session"]):
    def of(self, user: Any) -> SessionQuerySet:
        """The sessions that ``user`` started and pays for."""
        return self.filter(user_id=user.pk)

    def open_to(self, user: Any, right: Right) -> SessionQuerySet:
        """The sessions of projects on which ``user`` has ``right``, and their own without a project.

        Every look-up on somebody's behalf starts here or at :meth:`seen_by`.
        """
        return self.filter(_open_to(user, right))

    def seen_by(self, user: Any) -> SessionQuerySet:
        """What ``user`` pays for, and what runs in the projects they may see."""
        return self.filter(Q(user_id=user.pk) | _open_to(user, Right.VIEW))

    def live(self) -> SessionQuerySet:
        return self.filter(state__in=_LIVE)


RUN_HOSTNAME = "run"


class Session(models.Model):
    """One sandbox on one project, with granted slots.

    ``user`` started it and pays for it; everybody who may run the project works in it.

    ``project`` is no foreign key: sessions know projects only through a ProjectDirectory.
    ``directory`` is the host folder that is mounted, "" for a session without a project.
    ``gpus`` are the shares of devices that its slots stand for (:class:`sandbox.gpu.Share`), once granted.
    ``cost`` is that of ``usage``, in micro-units (see prices.py).
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
    cost = models.BigIntegerField(default=0)
    refusals = models.JSONField(default=list, blank=True)
    gpus = models.JSONField(default=list, blank=True)

    objects: ClassVar[models.Manager[Session]] = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["project"], condition=Q(state__in=_LIVE), name="one_live_session_of_a_project"
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
    def is_run(self) -> bool:
        """Whether it was made for a run (see runs/execute.py)."""
        return self.project is None and self.hostname == RUN_HOSTNAME

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
    gpu_ms = models.BigIntegerField(default=0)
    gpu_memory_kib_s = models.BigIntegerField(default=0)
    gpu_energy_mj = models.BigIntegerField(default=0)
    gpu_memory_peak_kib = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    final = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[UsageLine]] = UsageLineQuerySet.as_manager()

    class Meta:
        ordering = ("session", "sequence")
        constraints = (
            models.UniqueConstraint(fields=["session", "sequence"], name="usage_line_once"),  # a retry counts once
            models.UniqueConstraint(fields=["session"], condition=Q(final=True), name="one_final_usage_line"),
            models.CheckConstraint(
                condition=Q(**{f"{name}__gte": 0 for name in SUMMED}),
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
    def open_to(self, user: Any) -> KernelQuerySet:
        """The kernels that ``user`` may use, whose session lives: of an ended session nothing is left."""
        return self.filter(_open_to(user, Right.RUN, "session__"), session__state__in=_LIVE)


class Kernel(models.Model):
    """Where a Jupyter kernel id leads: the routing table of the Jupyter endpoints.

    ``name`` is the kernelspec's. A kernel that belongs to a Jupyter session (an open notebook or
    console) has its id in ``document``, and that document's ``path`` within the project,
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


class PortShareQuerySet(models.QuerySet["PortShare"]):
    def open(self) -> PortShareQuerySet:
        """Those that hold now: public ones end by themselves."""
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))


class PortShare(models.Model):
    """Who besides those who work in a session may see what listens on one of its ports (see port_shares.py).

    A port without a line is private. ``until`` is set for public ones, and for them alone.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="port_shares")
    port = models.PositiveIntegerField()
    audience = models.CharField(max_length=10)
    until = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager[PortShare]] = PortShareQuerySet.as_manager()

    class Meta:
        ordering = ("session", "port")
        constraints = (
            models.UniqueConstraint(fields=["session", "port"], name="one_share_of_a_port"),
            models.CheckConstraint(
                condition=Q(audience="project", until__isnull=True) | Q(audience="public", until__isnull=False),
                name="public_for_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.port} ({self.audience})"


class RunQuerySet(models.QuerySet["Run"]):
    def of(self, user: Any) -> RunQuerySet:
        """The runs ``user`` may see."""
        return self.filter(user_id=user.pk)


class Run(models.Model):
    """A program's execution from its files to its answer, in a session where no other is, see runs/. Kept for a day.

    ``answer`` is JSON as text: what programs print may hold characters that no JSON column takes.
    ``last`` is when it must be over, whatever happens. ``place``: where in the queue it is, which is not written down.
    """

    place = ""

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

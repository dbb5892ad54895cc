"""Documents as the database keeps them: rows that count, and the log of updates that is the truth."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from portal.models import Project

PATH_LENGTH = 1024


class Document(models.Model):
    """A text file or a notebook of a project. ``number`` is that of its latest update.

    The file on disk has the digest ``digest`` (SHA-256) and equals the updates up to ``saved`` together with those
    in ``beyond``. While a save is under way, ``saving`` is [digest, number, beyond] of what it will be.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="documents")
    path = models.CharField(max_length=PATH_LENGTH)
    kind = models.CharField(max_length=10)
    newline = models.CharField(max_length=2, default="\n")
    number = models.PositiveBigIntegerField(default=0)
    saved = models.PositiveBigIntegerField(default=0)
    beyond = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=64)
    saving = models.JSONField(null=True, blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "path"], name="one_document_for_a_path"),)

    def __str__(self) -> str:
        return self.path


class Update(models.Model):
    """One entry of the log: a Yjs update (v1). ``origin`` is ``edit``, ``disk``, ``kernel`` or ``restore``."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="updates")
    number = models.PositiveBigIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    origin = models.CharField(max_length=10)
    at = models.DateTimeField(default=timezone.now)
    data = models.BinaryField()

    class Meta:
        ordering = ("document", "number")
        constraints = (models.UniqueConstraint(fields=["document", "number"], name="one_update_for_a_number"),)

    def __str__(self) -> str:
        return f"{self.document_id} #{self.number}"


class Snapshot(models.Model):
    """All updates up to ``number`` as one: a faster way to the same state."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="snapshots")
    number = models.PositiveBigIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["document", "number"], name="one_snapshot_for_a_number"),)

    def __str__(self) -> str:
        return f"{self.document_id} up to #{self.number}"


class Execution(models.Model):
    """Who runs the cells of a notebook: the lease of one web process, and how far it has come.

    ``sequence`` is the next record of the kernel's stream that is not in the document yet, None before the first.
    ``current`` is the cell that runs (see cells.py), ``queue`` the ids of those that wait, ``asked`` leads from
    earlier requests to their cells, ``captures`` has the outputs of widgets (see sandbox/runner/captures.py). All are
    written under the lock of the document's row.
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="execution")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session = models.UUIDField()
    kernel = models.UUIDField()
    sequence = models.PositiveBigIntegerField(null=True, blank=True)
    current = models.JSONField(null=True, blank=True)
    queue = models.JSONField(default=list, blank=True)
    asked = models.JSONField(default=dict, blank=True)
    captures = models.TextField(default="", blank=True)
    holder = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.document_id} by {self.holder or 'nobody'}"

"""One live session for each project, whoever started it; documents' paths are within their project."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import Q

_LIVE = ["paused", "pending", "preparing", "running", "stopping"]


def strip_slugs(apps: Any, schema_editor: Any) -> None:
    for kernel in apps.get_model("compute", "Kernel").objects.filter(session__project__isnull=False).exclude(path=""):
        kernel.path = kernel.path.partition("/")[2]
        kernel.save(update_fields=["path"])


class Migration(migrations.Migration):
    dependencies = (("compute", "0005_runs"),)

    operations = (
        migrations.RemoveConstraint(model_name="session", name="one_live_session_per_project"),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                condition=Q(state__in=_LIVE), fields=["project"], name="one_live_session_of_a_project"
            ),
        ),
        migrations.RunPython(strip_slugs, migrations.RunPython.noop),
    )

"""Usage lines count what came and went over the network.

SQLite changes a table by writing it anew, without its triggers: they are taken off before and put on after.
"""

from importlib import import_module

from django.db import migrations, models

_guard = import_module("sessions.migrations.0002_append_only_ledger")
_COUNTED = ("cpu_ms", "wall_ms", "memory_kib_s", "bytes_read", "bytes_written", "bytes_received", "bytes_sent")


class Migration(migrations.Migration):
    dependencies = [("compute", "0003_policy_refusals")]
    operations = [
        migrations.RunPython(_guard.unprotect, _guard.protect),
        migrations.AddField("usageline", "bytes_received", models.BigIntegerField(default=0)),
        migrations.AddField("usageline", "bytes_sent", models.BigIntegerField(default=0)),
        migrations.RemoveConstraint("usageline", "usage_only_grows"),
        migrations.AddConstraint(
            "usageline",
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__gte": 0 for name in _COUNTED}), name="usage_only_grows"
            ),
        ),
        migrations.RunPython(_guard.protect, _guard.unprotect),
    ]

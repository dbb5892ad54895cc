"""Sessions know their GPUs, and usage lines count what they did on them.

SQLite changes a table by writing it anew, without its triggers: they are taken off before and put on after.
"""

from importlib import import_module

from django.db import migrations, models

_guard = import_module("sessions.migrations.0002_append_only_ledger")
_NEW = ("gpu_ms", "gpu_memory_kib_s", "gpu_energy_mj")
_COUNTED = ("cpu_ms", "wall_ms", "memory_kib_s", "bytes_read", "bytes_written", "bytes_received", "bytes_sent", *_NEW)


class Migration(migrations.Migration):
    dependencies = [("compute", "0006_one_session_of_a_project")]
    operations = [
        migrations.AddField("session", "gpus", models.JSONField(blank=True, default=list)),
        migrations.RunPython(_guard.unprotect, _guard.protect),
        *(
            migrations.AddField("usageline", name, models.BigIntegerField(default=0))
            for name in (*_NEW, "gpu_memory_peak_kib")
        ),
        migrations.RemoveConstraint("usageline", "usage_only_grows"),
        migrations.AddConstraint(
            "usageline",
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__gte": 0 for name in _COUNTED}), name="usage_only_grows"
            ),
        ),
        migrations.RunPython(_guard.protect, _guard.unprotect),
    ]

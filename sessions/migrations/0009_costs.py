"""Sessions and usage lines know what they cost, in micro-units.

SQLite changes a table by writing it anew, without its triggers: they are taken off before and put on after.
"""

from importlib import import_module

from django.db import migrations, models

_guard = import_module("sessions.migrations.0002_append_only_ledger")
_counted = import_module("sessions.migrations.0007_gpus")._COUNTED


class Migration(migrations.Migration):
    dependencies = [("compute", "0008_port_shares")]
    operations = [
        migrations.AddField("session", "cost", models.BigIntegerField(default=0)),
        migrations.RunPython(_guard.unprotect, _guard.protect),
        migrations.AddField("usageline", "cost", models.BigIntegerField(default=0)),
        migrations.RemoveConstraint("usageline", "usage_only_grows"),
        migrations.AddConstraint(
            "usageline",
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__gte": 0 for name in (*_counted, "cost")}), name="usage_only_grows"
            ),
        ),
        migrations.RunPython(_guard.protect, _guard.unprotect),
    ]

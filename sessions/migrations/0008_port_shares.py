"""Ports that others than those who work in a session may see."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compute", "0007_gpus"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PortShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("port", models.PositiveIntegerField()),
                ("audience", models.CharField(max_length=10)),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="port_shares", to="compute.session"
                    ),
                ),
            ],
            options={
                "ordering": ("session", "port"),
                "constraints": [
                    models.UniqueConstraint(fields=("session", "port"), name="one_share_of_a_port"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "project"), ("until__isnull", True)),
                            models.Q(("audience", "public"), ("until__isnull", False)),
                            _connector="OR",
                        ),
                        name="public_for_a_time",
                    ),
                ],
            },
        ),
    ]

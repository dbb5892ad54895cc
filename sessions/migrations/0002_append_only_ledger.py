"""The database itself refuses to change a usage line.

Removal is refused by a trigger on PostgreSQL only: on SQLite Django empties tables with DELETE
between tests, and foreign keys already protect a line's session from removal.
"""

from django.db import migrations

TABLE = "compute_usageline"

SQLITE = [
    f"""CREATE TRIGGER usage_line_no_update BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, 'usage lines are never changed'); END"""
]
SQLITE_UNDO = ["DROP TRIGGER usage_line_no_update"]

POSTGRESQL = [
    """CREATE FUNCTION usage_line_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'usage lines are never changed or removed'; END $$""",
    f"""CREATE TRIGGER usage_line_append_only BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION usage_line_append_only()""",
]
POSTGRESQL_UNDO = [f"DROP TRIGGER usage_line_append_only ON {TABLE}", "DROP FUNCTION usage_line_append_only()"]


def _run(schema_editor, by_vendor):
    for statement in by_vendor.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def protect(apps, schema_editor):
    _run(schema_editor, {"sqlite": SQLITE, "postgresql": POSTGRESQL})


def unprotect(apps, schema_editor):
    _run(schema_editor, {"sqlite": SQLITE_UNDO, "postgresql": POSTGRESQL_UNDO})


class Migration(migrations.Migration):
    dependencies = [("compute", "0001_initial")]
    operations = [migrations.RunPython(protect, unprotect)]

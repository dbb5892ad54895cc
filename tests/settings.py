"""Django's settings for tests: the site's own, on a state directory that lasts as long as the run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What images need was set up beforehand (bin/test does); tests only read it.
IMAGES = Path(os.environ.get("MADANG_STATE") or ROOT / "var").resolve() / "images"
STATE = Path(tempfile.mkdtemp(prefix="madang-test-"))
STATE.chmod(0o755)
(STATE / "images").symlink_to(IMAGES)
atexit.register(shutil.rmtree, STATE, ignore_errors=True)
os.environ["MADANG_STATE"] = str(STATE)
os.environ.setdefault("MADANG_SELFTESTS", "0")  # each of the servers of tests would begin with them
if (_worker := os.environ.get("PYTEST_XDIST_WORKER")) and "REDIS_URL" in os.environ:
    # Each worker has a database of its own, in PostgreSQL by pytest-django: the same ids are others' in Redis.
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].removesuffix("/0") + f"/{_worker.removeprefix('gw')}"

from portal.settings import *  # noqa: E402, F403 - the state directory has to be named first

# Passwords of tests protect nothing: hashing them well would cost a tenth of a second each.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405 - a test database is removed while threads stay
# A database in memory has other locks than the one in a file that a site has: threads would not wait for each other.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": STATE / "test.sqlite3"}  # noqa: F405

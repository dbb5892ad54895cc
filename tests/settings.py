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

from portal.settings import *  # noqa: E402, F403 - the state directory has to be named first

# Passwords of tests protect nothing: hashing them well would cost a tenth of a second each.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

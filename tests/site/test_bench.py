"""``bin/bench`` measures a site that it starts itself."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from bin.lib.layout import PYTHON, ROOT
from tests.live import missing_for_site
from tests.settings import IMAGES

COMMAND = "-m bench --quick --only madang --scenario round-trip bell live churn --bell 2 --live 2 --churn 3"


def test_madang_is_measured_and_everybody_served() -> None:
    if missing := missing_for_site():
        pytest.skip(missing)
    env = {**os.environ, "MADANG_STATE": str(IMAGES.parent)}
    done = subprocess.run([PYTHON, *COMMAND.split()], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("2 of 2 served") == 2
    for title in ("round trip of `print(1)`", "the bell, 2 users", "round trip, many live sessions", "churn, 4 users"):
        assert re.search(rf"^\| {re.escape(title)}.* \| Madang.* \| [\d.]+ ms \|", done.stdout, re.MULTILINE), (
            done.stdout
        )

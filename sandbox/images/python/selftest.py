"""Run inside a sandbox of this image before it is offered; prints ``ok`` when all that the image promises works."""

# mypy: disable-error-code="import-not-found"

import io
import math
import ssl
import subprocess
import sys

import matplotlib
import numpy

matplotlib.use("agg")
import matplotlib.pyplot as plt

assert math.isclose(numpy.linalg.det(numpy.eye(3) * 2), 8)
assert ssl.RAND_status()
assert subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout == "42\n"
picture = io.BytesIO()
plt.plot([1, 2, 3])
plt.savefig(picture, format="png")
assert picture.getvalue().startswith(b"\x89PNG")
print("ok")  # noqa: T201 - its answer

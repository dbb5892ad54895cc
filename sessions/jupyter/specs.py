"""``/jupyter/api``, ``status``, ``me`` and ``kernelspecs``: what a client asks first."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from sandbox.images import Image, Kernel, image_for_kernel, images
from sessions.jupyter.kernels import kernels_with_models
from sessions.jupyter.views import ok
from sessions.problems import not_found
from sessions.represent import timestamp

# The version of Jupyter Server's API that these endpoints follow.
API_VERSION = "2.14.0"
STARTED = timezone.now()


async def version(request: HttpRequest, user: Any) -> HttpResponse:
    return ok({"version": API_VERSION})


async def status(request: HttpRequest, user: Any) -> HttpResponse:
    models = [model for _, model in await kernels_with_models(user)]
    last = max((model["last_activity"] for model in models), default=timestamp(STARTED))
    connections = sum(model["connections"] for model in models)
    return ok(
        {"connections": connections, "kernels": len(models), "last_activity": last, "started": timestamp(STARTED)}
    )


async def me(request: HttpRequest, user: Any) -> HttpResponse:
    name = str(user)
    identity = {
        "username": user.get_username(),
        "name": name,
        "display_name": name,
        "initials": name[:2].upper(),
        "avatar_url": None,
        "color": None,
    }
    return ok({"identity": identity, "permissions": {}})


async def list_specs(request: HttpRequest, user: Any) -> HttpResponse:
    specs = {kernel.name: _spec(image, kernel) for image in images().values() for kernel in image.kernels}
    return ok({"default": next(iter(specs), ""), "kernelspecs": specs})


async def get_spec(request: HttpRequest, user: Any, name: str) -> HttpResponse:
    image = image_for_kernel(name)
    if image is None:
        raise not_found("kernel")
    return ok(next(_spec(image, kernel) for kernel in image.kernels if kernel.name == name))


async def get_resource(request: HttpRequest, user: Any, name: str, file: str) -> HttpResponseBase:
    """A logo of the image that has the kernel: a file called ``logo-…`` in the image's directory."""
    image = image_for_kernel(name)
    found = next((path for path in _logos(image) if path.name == file), None) if image else None
    if found is None:
        raise not_found("resource")
    return FileResponse(found.open("rb"))


def _spec(image: Image, kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "spec": {
            "argv": [],
            "env": {},
            "display_name": kernel.display_name,
            "language": kernel.language,
            "interrupt_mode": "signal",
            "metadata": {"image": image.name},
        },
        "resources": {path.stem: f"/jupyter/kernelspecs/{kernel.name}/{path.name}" for path in _logos(image)},
    }


def _logos(image: Image) -> list[Any]:
    return sorted(image.directory.glob("logo-*.*"))

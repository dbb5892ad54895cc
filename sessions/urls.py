"""Jupyter's HTTP endpoints, included at ``/jupyter/``."""

from __future__ import annotations

from django.urls import path

from sessions.jupyter import documents, kernels, specs, terminals
from sessions.jupyter.views import endpoint

urlpatterns = [
    path("api", endpoint(GET=specs.version)),
    path("api/", endpoint(GET=specs.version)),
    path("api/status", endpoint(GET=specs.status)),
    path("api/me", endpoint(GET=specs.me)),
    path("api/kernelspecs", endpoint(GET=specs.list_specs)),
    path("api/kernelspecs/<str:name>", endpoint(GET=specs.get_spec)),
    path("kernelspecs/<str:name>/<str:file>", endpoint(GET=specs.get_resource)),
    path("api/kernels", endpoint(GET=kernels.list_kernels, POST=kernels.post_kernel)),
    path("api/kernels/<uuid:id>", endpoint(GET=kernels.get_kernel, DELETE=kernels.delete_kernel)),
    path("api/kernels/<uuid:id>/interrupt", endpoint(POST=kernels.interrupt)),
    path("api/kernels/<uuid:id>/restart", endpoint(POST=kernels.restart)),
    path("api/sessions", endpoint(GET=documents.list_documents, POST=documents.post_document)),
    path(
        "api/sessions/<uuid:id>",
        endpoint(GET=documents.get_document, PATCH=documents.patch_document, DELETE=documents.delete_document),
    ),
    path("api/terminals", endpoint(GET=terminals.list_terminals, POST=terminals.post_terminal)),
    path("api/terminals/<str:name>", endpoint(GET=terminals.get_terminal, DELETE=terminals.delete_terminal)),
]

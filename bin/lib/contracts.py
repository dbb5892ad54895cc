"""A contract for import-linter that it does not have: a package may import the standard library,
itself and a short list, and nothing else."""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyImports(Contract):
    """``source`` and its submodules import only themselves, the standard library and ``allowed``."""

    source = fields.StringField()
    allowed = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        source, allowed = str(self.source), {str(name) for name in self.allowed}  # type: ignore[attr-defined]
        modules = {source} | graph.find_descendants(source)
        found = [
            detail
            for importer in sorted(modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _is_allowed(imported, source, allowed)
            for detail in graph.get_import_details(importer=importer, imported=imported)
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for detail in check.metadata["found"]:
            output.print_error(_sentence(detail), bold=False)


def _is_allowed(imported: str, source: str, allowed: set[str]) -> bool:
    top = imported.partition(".")[0]
    inside = imported == source or imported.startswith(source + ".")
    return inside or top in allowed or top in sys.stdlib_module_names


def _sentence(detail: Any) -> str:
    return f"{detail['importer']} imports {detail['imported']} (line {detail['line_number']})"

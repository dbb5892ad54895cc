"""Attacks happen in the sandboxes that the drivers' own tests use."""

from tests.sandbox.conftest import driver, lab

__all__ = ["driver", "lab"]

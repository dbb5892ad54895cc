"""Three people: Alice (owner), Bob (signed in as well), Charlie (a stranger without an account)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client

from portal.keys import create_key
from portal.models import Project, User
from portal.projects import create_project
from portal.token_bucket import TokenBuckets
from sandbox.images import images

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _own_state(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each test has its own folder for files, and rate limits that start at nothing."""
    settings.MADANG_STATE = tmp_path
    for cache in caches.all(initialized_only=True):
        cache.clear()
    monkeypatch.setattr("portal.api.allowed", TokenBuckets(1200, 20))


@pytest.fixture
def image() -> str:
    return next(iter(images()))


@pytest.fixture
def alice(db) -> User:
    return User.objects.create_user("alice@example.org", PASSWORD, name="Alice")


@pytest.fixture
def bob(db) -> User:
    return User.objects.create_user("bob@example.org", PASSWORD, name="Bob")


@pytest.fixture
def project(alice: User, image: str) -> Project:
    return create_project(alice, "Penguins", image)


def signed_in(user: User | None) -> Client:
    """A browser in which ``user`` is signed in, or a stranger's."""
    client = Client()
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def alices(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def bobs(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def charlies(db) -> Client:
    return signed_in(None)


@pytest.fixture
def alices_key(alice: User) -> str:
    return create_key(alice, "test")[1]

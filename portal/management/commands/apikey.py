"""``manage.py apikey create EMAIL [--name N] [--days D]``, ``list [EMAIL]``, ``revoke PREFIX``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.keys import create_key, revoke_key
from portal.models import NAME_LENGTH, ApiKey, User


class Command(BaseCommand):
    help = "Make, list and revoke API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it, once")
        create.add_argument("email")
        create.add_argument("--name", default="manage.py", help="what the key is for (%(default)s)")
        create.add_argument("--days", type=int, help="how long it works; by default until it is revoked")
        listing = actions.add_parser("list", help="show keys, never their secret")
        listing.add_argument("email", nargs="?")
        revoke = actions.add_parser("revoke", help="end a key")
        revoke.add_argument("prefix", help="the 8 characters after mdg_, or the whole key")

    def handle(self, *args: Any, **options: Any) -> None:
        actions = {"create": self._create, "list": self._list, "revoke": self._revoke}
        actions[options["action"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        name, days = options["name"].strip(), options["days"]
        if not 1 <= len(name) <= NAME_LENGTH:
            raise CommandError(f"A name has 1 to {NAME_LENGTH} characters.")
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--days is between 1 and 36500.")
        expires = timezone.now() + timedelta(days=days) if days else None
        _key, text = create_key(_user(options["email"]), name, expires)
        self.stdout.write(text)

    def _list(self, options: dict[str, Any]) -> None:
        keys = ApiKey.objects.select_related("user").order_by("user__email", "-created")
        if options["email"]:
            keys = keys.filter(user=_user(options["email"]))
        for key in keys:
            state = "live" if key.is_live else "revoked" if key.revoked_at else "expired"
            used = f"{key.last_used:%Y-%m-%d %H:%M} UTC" if key.last_used else "never"
            self.stdout.write(f"mdg_{key.prefix}_…  {state:8}  last used {used}  {key.user.email}  {key.name}")

    def _revoke(self, options: dict[str, Any]) -> None:
        given = options["prefix"].removeprefix("mdg_")
        found = list(ApiKey.objects.filter(prefix=given[:8], revoked_at=None))
        if not found:
            raise CommandError("No live key starts like that; “manage.py apikey list” shows all.")
        for key in found:
            revoke_key(key)
            self.stdout.write(f"Revoked: {key} of {key.user.email}")


def _user(email: str) -> User:
    try:
        return User.objects.get(email=email.strip().lower())
    except User.DoesNotExist as error:
        raise CommandError(f"Nobody here has the address {email}.") from error

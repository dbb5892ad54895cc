"""What the portal keeps: people, their projects, their API keys."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

NAME_LENGTH = 80
SLUG_LENGTH = 60
SCRATCH = "scratch"
GRACE = timedelta(days=7)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        """Create a user who logs in as ``email``; without a password nobody can log in as them yet."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. They log in with their e-mail address, kept in lower case."""

    email = models.EmailField(_("e-mail address"), unique=True, error_messages={"unique": _("This address is taken.")})
    name = models.CharField(_("name"), max_length=NAME_LENGTH, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """What others may see: the chosen name, else what stands before the @."""
        return self.name or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        """One or two letters for the round mark."""
        words = self.display_name.split()
        return "".join(word[0] for word in words[:2]).upper() if len(words) > 1 else self.display_name[:2].upper()


class ProjectQuerySet(models.QuerySet["Project"]):
    def of(self, user: object) -> ProjectQuerySet:
        """The projects ``user`` may open. Every look-up of a project starts here."""
        return self.filter(owner_id=getattr(user, "pk", None), deleted_at=None)

    def deleted_of(self, user: object) -> ProjectQuerySet:
        """The projects ``user`` deleted and can still have back."""
        return self.filter(owner_id=getattr(user, "pk", None), deleted_at__gt=timezone.now() - GRACE)

    def expired(self) -> ProjectQuerySet:
        return self.filter(deleted_at__lte=timezone.now() - GRACE)


class Project(models.Model):
    """A folder of files with a chosen image. Deleting it keeps everything for :data:`GRACE`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    slug = models.SlugField(max_length=SLUG_LENGTH, allow_unicode=True)
    image = models.CharField(_("image"), max_length=100)
    created = models.DateTimeField(default=timezone.now)
    last_opened = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("-last_opened",)
        constraints = (
            models.UniqueConstraint(fields=["owner", "slug"], condition=Q(deleted_at=None), name="slug_once_per_owner"),
        )
        indexes = (models.Index(fields=["owner", "-last_opened"], name="project_of_owner"),)

    def __str__(self) -> str:
        return self.name

    @property
    def directory(self) -> Path:
        """Where its files are on this host."""
        return Path(settings.MADANG_STATE) / "projects" / str(self.pk)

    @property
    def gone_at(self) -> datetime | None:
        """When a deleted project can no longer be restored."""
        return self.deleted_at + GRACE if self.deleted_at else None


class ApiKey(models.Model):
    """A key a program uses in place of a password. Only a hash of it is kept (see portal/keys.py)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    prefix = models.CharField(max_length=8, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.name} (mdg_{self.prefix}_…)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires is None or self.expires > timezone.now())

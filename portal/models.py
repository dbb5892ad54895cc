"""What the portal keeps: people, their projects, their API keys."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.roles import Role, roles_with
from sessions.projects import Right

NAME_LENGTH = 80
SLUG_LENGTH = 60
SCRATCH = "scratch"
SHARED = "~"  # in no slug
GRACE = timedelta(days=7)
INVITATION_LIFE = timedelta(days=14)
MEMBER_ROLES = [(role.value, role.value) for role in (Role.EDITOR, Role.VIEWER)]


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
    def of(self, user: object, right: Right = Right.VIEW) -> ProjectQuerySet:
        """The projects on which ``user`` has ``right``, their own and others'. Every look-up starts here."""
        pk: Any = getattr(user, "pk", None)
        shared = Membership.objects.filter(user_id=pk, role__in=roles_with(right)).values("project_id")
        return self.filter(Q(owner_id=pk) | Q(pk__in=shared), deleted_at=None)

    def owned_by(self, user: object) -> ProjectQuerySet:
        return self.filter(owner_id=getattr(user, "pk", None), deleted_at=None)

    def deleted_of(self, user: object) -> ProjectQuerySet:
        """The projects ``user`` deleted and can still have back."""
        return self.filter(owner_id=getattr(user, "pk", None), deleted_at__gt=timezone.now() - GRACE)

    def at_hand(self) -> ProjectQuerySet:
        """Those that are not archived."""
        return self.filter(archived_at=None)

    def expired(self) -> ProjectQuerySet:
        return self.filter(deleted_at__lte=timezone.now() - GRACE)


class Project(models.Model):
    """A folder of files with a chosen image. Deleting it keeps everything for :data:`GRACE`.

    ``origin`` is what it was forked from. ``size`` is what its files took when they were last measured.
    ``offered_to`` becomes the owner when they accept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    slug = models.SlugField(max_length=SLUG_LENGTH, allow_unicode=True)
    image = models.CharField(_("image"), max_length=100)
    created = models.DateTimeField(default=timezone.now)
    last_opened = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    origin = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks")
    size = models.BigIntegerField(default=0)
    measured = models.DateTimeField(null=True, blank=True)
    offered_to = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="offered_projects"
    )
    datasets: models.ManyToManyField[Dataset, Any] = models.ManyToManyField(
        "Dataset", blank=True, related_name="projects"
    )

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

    def name_for(self, user: object) -> str:
        """The folder it is in the paths of ``user``: two people's projects may have the same slug."""
        own = self.owner_id == getattr(user, "pk", None)
        return self.slug if own else f"{self.slug}{SHARED}{self.pk.hex[:8]}"

    @property
    def gone_at(self) -> datetime | None:
        """When a deleted project can no longer be restored."""
        return self.deleted_at + GRACE if self.deleted_at else None


class Membership(models.Model):
    """Somebody's part in a project of another. The owner has none: they are :attr:`Project.owner`."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=MEMBER_ROLES)
    since = models.DateTimeField(default=timezone.now)
    last_opened = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("since", "pk")
        constraints = (models.UniqueConstraint(fields=["project", "user"], name="member_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.project}"


class Tag(models.Model):
    """A word that a project is found by."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")
    word = models.CharField(max_length=30)

    class Meta:
        ordering = ("word",)
        constraints = (models.UniqueConstraint(fields=["project", "word"], name="tag_once"),)

    def __str__(self) -> str:
        return self.word


class Invitation(models.Model):
    """A place in a project for whoever holds the link that was mailed to ``email``. It opens once.

    The link is the key, signed (see portal/joining.py): the database alone lets nobody in.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=MEMBER_ROLES)
    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    created = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("created",)
        constraints = (
            models.UniqueConstraint(fields=["project", "email"], condition=Q(ended_at=None), name="invited_once"),
        )

    def __str__(self) -> str:
        return f"{self.email}: {self.role} of {self.project}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and self.created > timezone.now() - INVITATION_LIFE


class JoinLink(models.Model):
    """Lets everybody who has it join a project in ``role``, until it is revoked, which removes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="links")
    role = models.CharField(max_length=10, choices=MEMBER_ROLES)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "role"], name="link_once"),)

    def __str__(self) -> str:
        return f"{self.role} of {self.project}"


class Secret(models.Model):
    """An environment variable of a project's sessions, encrypted with a key from the site's (see portal/secrets.py)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=100)
    sealed = models.TextField()
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="secret_once"),)

    def __str__(self) -> str:
        return self.name


class Dataset(models.Model):
    """A folder of this host that an operator offers to projects, which can read it."""

    name = models.SlugField(max_length=SLUG_LENGTH, unique=True)
    folder = models.CharField(max_length=4096)
    summary = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


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

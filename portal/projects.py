"""The life of a project: made with its folder and hello file, renamed, deleted, restored, removed for good."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.checkpoints import forget_project
from portal.documents.disk import forget_locks
from portal.files import Files, remove_tree
from portal.filling import Filling, copy_tree
from portal.models import SCRATCH, SLUG_LENGTH, Project, Tag, User
from portal.trash import forget_all
from sandbox.images import Image, images
from sandbox.room import measure
from sessions.changes import tell_changed
from sessions.problems import Problem

log = logging.getLogger(__name__)

Fill = Callable[[Filling], None]
STRAY = timedelta(days=1)
MOST_TAGS = 10
MEASURED_ENTRIES = 200_000


class UnknownImage(Exception):
    """No image of this site has that name; the message names it."""


def image_is_gone(project: Project) -> Problem:
    """What it was made with is not offered any more; its files can still be had."""
    return Problem(
        409, "image_gone", _("Its image is gone"), _("This site no longer offers “%s”.") % project.image,
        _("Download its files, or ask the operator."),
    )  # fmt: skip


def find_image(name: str) -> Image:
    """The image called ``name``.

    Raises:
        UnknownImage: there is none.
    """
    try:
        return images()[name]
    except KeyError as error:
        raise UnknownImage(name) from error


def create_project(owner: User, name: str, image_name: str, fill: Fill | None = None, **fields: Any) -> Project:
    """Make a project with its folder and what ``fill`` puts there, by default the image's hello file.

    The folder is whole before anybody can find it: whoever is killed in between leaves a folder that
    :func:`purge_strays` removes. ``fields`` are those of the project.

    Raises:
        UnknownImage: no image of this site has that name.
        Problem: ``fill`` could not.
    """
    image = find_image(image_name)
    project = Project(owner=owner, name=name, image=image.name, **fields)
    _make_folder(project)
    filling = Filling(project.directory, image.slots.disk)
    try:
        (fill or _hello(image))(filling)
        return give_slug(project, slug_of(name))
    except BaseException:
        _remove_files(project)
        raise


def _hello(image: Image) -> Fill:
    def fill(filling: Filling) -> None:
        if image.hello_file:
            filling.write(image.hello_file, [image.hello.encode()])

    return fill


def fork_project(owner: User, source: Project, name: str = "") -> Project:
    """A copy of the files of ``source`` for ``owner``, on its own from now on. Secrets and people stay behind.

    Raises:
        UnknownImage: its image is not offered any more.
        Problem: 507, it is too large.
    """

    def fill(filling: Filling) -> None:
        with Files(source.directory) as files:
            copy_tree(files, filling)

    fork = create_project(owner, name or source.name, source.image, fill, origin=source)
    fork.datasets.set(source.datasets.all())
    return fork


def slug_of(name: str) -> str:
    """The word that stands for ``name`` in paths; ``scratch`` stays free for the project of that name."""
    slug = slugify(name, allow_unicode=True)[:SLUG_LENGTH].strip("-_") or "project"
    return f"{slug}-1" if slug == SCRATCH else slug


def give_slug(project: Project, wanted: str) -> Project:
    """Save ``project`` with its owner's first free slug that looks like ``wanted``."""
    for attempt in range(1, 1000):
        ending = "" if attempt == 1 else f"-{attempt}"
        project.slug = wanted[: SLUG_LENGTH - len(ending)] + ending
        if Project.objects.filter(owner=project.owner, slug=project.slug, deleted_at=None).exclude(pk=project.pk):
            continue
        try:
            with transaction.atomic():
                project.save()
        except IntegrityError:
            continue  # somebody took that slug in the meantime
        return project
    raise RuntimeError(f"no free slug like {wanted!r}")


def scratch_project(owner: User) -> Project:
    """The project that is there without asking for one; made when it is first needed."""
    mine: QuerySet[Project] = Project.objects.filter(owner=owner, deleted_at=None, slug=SCRATCH)
    found = mine.first()
    if found:
        return found
    image = next(iter(images().values()))
    project = Project(owner=owner, name="Scratch", slug=SCRATCH, image=image.name)
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError:
        return mine.get()  # made by another request of theirs at the same moment
    _make_folder(project)
    return project


def _make_folder(project: Project) -> None:
    # The folder above is closed to other users of this host: code inside may open up its own folder,
    # and files in it belong to whoever runs the site.
    project.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    project.directory.mkdir(mode=0o700)


def rename_project(project: Project, name: str) -> None:
    """Give ``project`` a new name. Its slug stays: an open page or notebook goes on finding its files."""
    project.name = name
    project.save(update_fields=["name"])


def touch_project(user: User, project: Project) -> None:
    """Note that ``user`` opened ``project`` now: each has their own list of where they were."""
    mine = Project.objects.filter(pk=project.pk, owner=user)
    if not mine.update(last_opened=timezone.now()):
        project.memberships.filter(user=user).update(last_opened=timezone.now())


def archive_project(project: Project, archived: bool = True) -> None:
    """Put ``project`` out of sight, or back. Everything works as before: it is only not on the list."""
    Project.objects.filter(pk=project.pk).update(archived_at=timezone.now() if archived else None)


def measure_projects(projects: Iterable[Project]) -> None:
    """Note what the files of ``projects`` take."""
    measured = [project for project in projects if _measure(project)]
    Project.objects.bulk_update(measured, ["size", "measured"])


def _measure(project: Project) -> bool:
    try:
        folder = os.open(project.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False  # it has no folder
    try:
        project.size, project.measured = measure(folder, MEASURED_ENTRIES).size, timezone.now()
    finally:
        os.close(folder)
    return True


def set_tags(project: Project, words: Iterable[str]) -> None:
    """Give ``project`` the tags ``words``: lower case, each once, at most :data:`MOST_TAGS`."""
    wanted = dict.fromkeys(word for text in words if (word := " ".join(text.split()).lower()[:30].strip()))
    with transaction.atomic():
        project.tags.all().delete()
        Tag.objects.bulk_create(Tag(project=project, word=word) for word in list(wanted)[:MOST_TAGS])


def delete_project(project: Project) -> bool:
    """Put ``project`` away; False when it was deleted already. :func:`restore_project` brings it back."""
    deleted = bool(Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=timezone.now()))
    tell_changed(project.pk)
    return deleted


def restore_project(project: Project) -> Project:
    """Bring a deleted project back, under another slug when its own is taken by now."""
    project.deleted_at = None
    return give_slug(project, project.slug if project.slug != SCRATCH else slug_of(project.name))


def purge_expired() -> int:
    """Remove for good every project whose grace is over, with its files; how many there were.

    A folder that resists is logged and tried again next time.
    """
    count = 0
    for project in list(Project.objects.expired()):
        try:
            _remove_files(project)
        except OSError:
            log.exception("the folder of project %s could not be removed", project.pk)
            continue
        forget_project(project)
        forget_all(project)
        forget_locks(project)
        project.delete()
        count += 1
    return count


def purge_strays() -> int:
    """Remove folders that belong to no project: whoever was making one was killed. How many there were.

    A project that is just being made has none yet either, so young folders stay.
    """
    count, folder = 0, Path(settings.MADANG_STATE) / "projects"
    for entry in os.scandir(folder) if folder.is_dir() else ():
        try:
            id = uuid.UUID(entry.name)
        except ValueError:
            continue  # not ours
        young = timezone.now().timestamp() - entry.stat(follow_symlinks=False).st_ctime < STRAY.total_seconds()
        if young or Project.objects.filter(pk=id).exists():
            continue
        _remove_files(Project(pk=id))
        count += 1
    return count


def _remove_files(project: Project) -> None:
    parent = os.open(project.directory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_tree(parent, project.directory.name)
    except FileNotFoundError:
        log.info("project %s had no folder", project.pk)
    finally:
        os.close(parent)

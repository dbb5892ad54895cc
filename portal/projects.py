"""The life of a project: made with its folder and hello file, renamed, deleted, restored, removed for good."""

from __future__ import annotations

import logging
import os

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from portal.checkpoints import forget_project
from portal.files import remove_tree
from portal.models import SCRATCH, SLUG_LENGTH, Project, User
from sandbox.images import Image, images

log = logging.getLogger(__name__)


class UnknownImage(Exception):
    """No image of this site has that name; the message names it."""


def find_image(name: str) -> Image:
    """The image called ``name``.

    Raises:
        UnknownImage: there is none.
    """
    try:
        return images()[name]
    except KeyError as error:
        raise UnknownImage(name) from error


def create_project(owner: User, name: str, image_name: str, slug: str = "") -> Project:
    """Make a project with its folder and the image's hello file in it.

    Raises:
        UnknownImage: no image of this site has that name.
    """
    image = find_image(image_name)
    project = _insert(Project(owner=owner, name=name, image=image.name), slug or slug_of(name))
    _make_folder(project)
    if image.hello_file:
        (project.directory / image.hello_file).write_text(image.hello, encoding="utf-8")
    return project


def slug_of(name: str) -> str:
    """The word that stands for ``name`` in paths; ``scratch`` stays free for the project of that name."""
    slug = slugify(name, allow_unicode=True)[:SLUG_LENGTH].strip("-_") or "project"
    return f"{slug}-1" if slug == SCRATCH else slug


def _insert(project: Project, wanted: str) -> Project:
    """Save ``project`` with the first free slug that looks like ``wanted``."""
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


def touch_project(project: Project) -> None:
    """Note that ``project`` was opened now."""
    Project.objects.filter(pk=project.pk).update(last_opened=timezone.now())


def delete_project(project: Project) -> bool:
    """Put ``project`` away; False when it was deleted already. :func:`restore_project` brings it back."""
    return bool(Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=timezone.now()))


def restore_project(project: Project) -> Project:
    """Bring a deleted project back, under another slug when its own is taken by now."""
    project.deleted_at = None
    return _insert(project, project.slug if project.slug != SCRATCH else slug_of(project.name))


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
        project.delete()
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

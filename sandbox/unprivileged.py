"""Run a command with no privilege at all: how web is started where the site runs as root.

``python -m sandbox.unprivileged --writable DIR... -- COMMAND...`` gives up every capability for good
(no-new-privileges included) and sees a file system that is read-only but for ``DIR`` and ``/tmp``. The
user stays root by name, so that it may read what root installed and signal root's processes; it may not
write elsewhere, open a disk, mount, bind a low port or become anybody.
"""

from __future__ import annotations

import argparse
import os

from sandbox.jail import linux

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm")  # noqa: S108


def give_up_privileges(writable: list[str]) -> None:
    """See the module's text.

    Raises:
        OSError: this process has no privilege to arrange it with.
    """
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    trees = [(linux.open_tree(path), path) for path in (*writable, "/tmp", *_DEVICES)]  # noqa: S108
    linux.mount_setattr("/", linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NODEV)  # root's name opens disks: no devices
    for tree, path in trees:
        linux.move_mount(tree, path)
        os.close(tree)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.drop_capabilities()


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.unprivileged", description=__doc__)
    parser.add_argument("--writable", action="append", default=[], metavar="DIR")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    give_up_privileges([os.path.realpath(path) for path in options.writable])
    os.execvp(options.command[0], options.command)  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()

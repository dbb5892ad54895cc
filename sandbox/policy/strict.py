"""The strict policy: for code of strangers (anonymous cells) and for exams.

As the default, with fewer calls, no network, few processes, and no programs but the
image's interpreters and the usual tools: what a user writes or brings can be interpreted, not executed.
(That keeps programs out, not machine code: an interpreter can write that into its own memory, where the
same filter holds.)
"""

from __future__ import annotations

import errno
import socket

from sandbox.policy import Case, Limits, Policy, Programs
from sandbox.policy.common import ASKED, ORDINARY, QUIET, SHUT, sockets, words
from sandbox.policy.rules import Rule, kill, refuse
from sandbox.policy.values import has_none

_MFD_NOEXEC_SEAL = 8

_NOT_NEEDED = frozenset(
    words(
        """inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
    io_setup io_submit mlockall mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget
    msgrcv msgsnd pidfd_open process_madvise readahead semctl semget semop semtimedop set_mempolicy shmat shmctl shmdt
    shmget sync vmsplice"""
    )
)
# No program asks for these by accident.
_FATAL: dict[str, Rule] = dict.fromkeys(
    words("init_module finit_module delete_module kexec_load kexec_file_load reboot"), kill("kernel")
)
_TOOLS = """[ arch awk b2sum base32 base64 basename bash cat chmod cksum clear cmp comm cp csplit cut dash date dd df
diff dir dircolors dirname du echo egrep env expand expr factor false fgrep file find fmt fold grep groups head
hostname iconv id join kill less link ln locale ls mkdir mkfifo mktemp more mv nano nl nohup nproc numfmt od paste
patch pathchk pr printenv printf ps ptx pwd readlink realpath rev rm rmdir sed seq sh sha1sum sha224sum sha256sum
sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum tac tail tee test timeout top touch tput tr true
truncate tsort tty uname unexpand uniq unlink uptime users vdir vi vim wc which who whoami xargs yes"""

POLICY = Policy(
    name="strict",
    allowed=ORDINARY - _NOT_NEEDED,
    refused={**QUIET, **dict.fromkeys(_NOT_NEEDED, errno.EPERM)},
    asked={**ASKED, **_FATAL, "execveat": refuse("programs", errno.EACCES)},
    cases={
        **SHUT,
        **sockets(socket.AF_UNIX, socket.AF_INET),  # IPv4 for loopback: a kernel's debugger listens there
        "memfd_create": (Case(has_none("flags", _MFD_NOEXEC_SEAL), refuse("programs", errno.EACCES)),),
    },
    limits=Limits(tasks=64, open_files=1024, file_size=256 << 20, locked_memory=0),
    network="none",
    programs=Programs(
        own=False,
        folders=(
            "/bin",
            "/sbin",
            "/usr/bin",
            "/usr/sbin",
            "/usr/games",
            "/usr/lib/gcc",
            "/usr/lib/ghc/bin",
            "/usr/lib/git-core",
            "/usr/lib/go-*/bin",
            "/usr/lib/go-*/pkg/tool/*",
            "/usr/lib/R/bin",
            "/usr/lib/jvm/*/bin",
            "/usr/libexec",
            "/usr/local/bin",
            "/usr/local/games",
            "/usr/local/sbin",
        ),
        only=tuple(words(_TOOLS)),
    ),
)

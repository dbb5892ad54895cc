"""``bin/up``: set up what is missing, start the site, print its URL, keep it running until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bin.lib import setup, site
from bin.lib.console import Console, StepFailed
from bin.lib.layout import state
from bin.lib.supervisor import Supervisor


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    console = Console(state() / "log" / "setup.log")
    try:
        with _only_one():
            _up(console, options)
    except StepFailed as error:
        console.say(f"\n{error.tail.rstrip()}\n" if error.tail else "")
        console.say(f"{console.bad_mark} {error.message}")
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped.")
        return 130
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/up", description="Set up and start Madang on this machine.")
    port = os.environ.get("PORT", "").strip() or "8000"
    parser.add_argument("--port", type=int, default=port, help="port to serve on; 0 takes a free one (%(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (%(default)s)")
    parser.add_argument("--no-setup", action="store_true", help="start at once, without looking what is missing")
    return parser.parse_args(arguments)


def _up(console: Console, options: argparse.Namespace) -> None:
    console.say("Madang")
    listener = site.listen(options.host, options.port)  # first: better told now than after the set-up
    if options.no_setup:
        setup.database(console)
    else:
        setup.set_up(console)
        setup.doctor()
    parts = [site.session_service(state()), site.web(state(), listener)]

    def ready() -> None:
        console.say(f"\n  Open {site.url(listener)}\n")
        if os.environ.get("MADANG_MAIL", "folder") == "folder":
            console.say(f"  Mails are kept in {state() / 'mail'}")
        console.say(f"  Logs are in {state() / 'log'}\n  Ctrl-C stops everything.\n")

    Supervisor(console, parts).run(ready)
    console.say("\nStopped.")


@contextmanager
def _only_one() -> Iterator[None]:
    """One ``bin/up`` per state directory; the kernel frees the lock however this process ends."""
    run = state() / "run"
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(run / "up.lock", "a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            pid = lock.read().strip() or "?"
            raise StepFailed(
                f"Madang already runs on {state()} (process {pid}). Stop it with Ctrl-C there, or: kill {pid}"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


if __name__ == "__main__":
    sys.exit(main())

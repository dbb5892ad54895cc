"""``python -m sandbox.egress SANDBOXES [--allow HOST[:PORT]]...``: serves until its standard input ends."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path

from sandbox.egress.rules import parse_allowance
from sandbox.egress.service import serve

log = logging.getLogger("sandbox.egress")


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.egress", description=__doc__)
    parser.add_argument("sandboxes", type=Path)
    parser.add_argument("--allow", type=parse_allowance, action="append", default=[], metavar="HOST[:PORT]")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the operator's terminal speaks to the session service
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _heard, ended)
    log.info("serving %s", options.sandboxes)
    await serve(options.sandboxes, options.allow, ended)


def _heard(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()


if __name__ == "__main__":
    main()

"""What is otherwise with us where Daphne serves this process."""

from __future__ import annotations

import sys
from typing import Any


def adapt() -> None:
    """See the functions below. Does nothing where somebody else serves."""
    _send_without_limit()
    _leave_bodies_to_django()


def _send_without_limit() -> None:
    """Daphne has one limit for both directions: what comes in is bounded, what we send is not.

    Its own limit (``--websocket-max-message-size``, see ``bin/lib/site.py``) is there since anybody may fill its
    memory. What we send is bounded where it is made, and may be larger: a notebook with its outputs is one message.
    """
    daphne: Any = sys.modules.get("daphne.ws_protocol")
    if daphne is None:
        return

    class Sending(daphne.WebSocketProtocol):
        maxMessagePayloadSize: int

        def sendMessage(self, *arguments: Any, **named: Any) -> None:
            incoming, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
            try:
                super().sendMessage(*arguments, **named)
            finally:
                self.maxMessagePayloadSize = incoming

    daphne.WebSocketFactory.protocol = Sending


def _leave_bodies_to_django() -> None:
    """Twisted would read the forms and files of each POST too, with all of them in memory, for nobody."""
    daphne: Any = sys.modules.get("daphne.http_protocol")
    if daphne is None:
        return

    class Request(daphne.WebRequest):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named, parsePOSTFormSubmission=False)

    daphne.WebRequest = Request

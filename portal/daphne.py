"""Where Daphne has one limit for both directions: what comes in is bounded, what we send is not.

Its own limit (``--websocket-max-message-size``, see ``bin/lib/site.py``) is there since anybody may fill its memory.
What we send is bounded where it is made, and may be larger: a notebook with its outputs is one message.
"""

from __future__ import annotations

import sys
from typing import Any


def send_without_limit() -> None:
    """Have all WebSockets of this process do so, where Daphne serves it."""
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

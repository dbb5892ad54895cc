"""jupyter_server's configuration where its WebSockets shall not wait: copied into the peer's configuration folder.

Without it the kernel sends each message of a reply once the one before is acknowledged, which the other end
delays by 40 ms (Nagle's algorithm meeting delayed acknowledgements).
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

_open = KernelWebsocketHandler.open


def _open_at_once(self: Any, *arguments: Any, **named: Any) -> Any:
    self.set_nodelay(True)
    return _open(self, *arguments, **named)


KernelWebsocketHandler.open = _open_at_once

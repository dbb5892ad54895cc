"""How programs inside learn of the door: the environment variables that curl, git, pip, npm and others read."""

from __future__ import annotations

from sandbox.runner.egress import PORT

NOT_THROUGH_IT = "localhost,127.0.0.1,::1"


def proxy_environment() -> dict[str, str]:
    """In both spellings. ``all_proxy`` is HTTP too: a SOCKS URL there breaks clients that lack its library."""
    url = f"http://127.0.0.1:{PORT}"
    names = {"http_proxy": url, "https_proxy": url, "all_proxy": url, "no_proxy": NOT_THROUGH_IT}
    return names | {name.upper(): value for name, value in names.items()}

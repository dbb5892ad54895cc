"""The egress proxy: the only way from a sandbox to a network, outside of it.

Theory of operation
===================

A sandbox has no interface but loopback. Programs inside speak to the *door*, the runner's proxy on
127.0.0.1 (:mod:`sandbox.runner.egress`): HTTP, CONNECT and SOCKS5. The door reaches nothing by itself.

*egress* (one process per site, ``python -m sandbox.egress``, started by the session service, no privilege)
    looks which sandboxes there are, connects to each one's runner, as web does, and hears what is asked
    for (``egress.requests``). For each request it applies the sandbox's rule, resolves the name once,
    connects to an address that it has judged, and meets the door on a connection of its own
    (``egress.open``), or says why not (``egress.refuse``).

What a driver has to do: call :func:`sandbox.egress.record.prepare` before anybody can use a session's sandbox, and read
:func:`sandbox.egress.account.read` where it reads its other accounts. No descriptor crosses into a
sandbox and none comes out; all that is needed is the runner's socket.

It outlives nobody and interrupts nobody: when its session service ends, it takes no new requests and
ends with its last connection; the next session service starts the next egress, and requests made in
between wait at the door. What it counted lies in the sandbox's directory, not in its memory.

Modules, in the order of use: :mod:`rules` (what is asked, what is allowed; pure), :mod:`addresses` (which
addresses are public; pure), :mod:`record` (what lies on disk), :mod:`account` (bytes), :mod:`reach` (resolve
and connect), :mod:`attend` (one sandbox), :mod:`service` (all of them), :mod:`indexes` (where packages are).
"""

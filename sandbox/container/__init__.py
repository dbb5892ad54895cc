"""Sandboxes in containers: what the docker driver adds to the jail.

Theory of operation
===================

*Docker Engine*
    makes a container from an image: its root, read-only; its namespaces; no capability, no new privilege, no network;
    the outer seccomp profile; its control groups beneath ours.
*keeper* (one per site; the session service's privileges)
    is a zygote without an image (:mod:`sandbox.jail.forks`): it forks a *jail* for each sandbox.
*jail* (one per sandbox; the same as the jail driver's)
    makes the control group in which the engine is to put the container, waits for the runner at the *meeting*
    (a socket in a folder that is mounted into the container), furnishes the container from outside, and watches
    over it: accounts, disk limit, asked system calls, the end.
*runner* (pid 1 of the container)
    loads the image's modules, comes to the meeting, takes a user namespace of its own, receives its descriptors,
    gives up every capability, installs the policy's filter, and serves.

So a container is furnished as a spare sandbox is claimed: the jail's thread joins its mount namespace and mounts there.
The engine needs to know nothing of projects, and nothing crosses into a container but what the meeting hands over.
What ends a sandbox is the runner's lifeline, as ever; the engine removes a container that has ended by itself.

Modules, in the order of use: :mod:`engine` (the Docker Engine's API), :mod:`profile` (the outer seccomp profile),
:mod:`plan`, :mod:`keeper`, :mod:`making` (the jail's part), :mod:`furnish` (the mounts), :mod:`inside` (the runner's).
"""

MEETING_FOLDER = "/run/madang"
MEETING = f"{MEETING_FOLDER}/meeting.sock"
"""Where the runner meets its jail, as the container sees it."""
CODE = "/usr/lib/madang"
"""Where the container has this package: the checkout's own, read-only, so that an image never runs an older one."""

"""The jail: how a sandbox of this Linux host is made, without a daemon.

Theory of operation
===================

*zygote* (one per image; the session service's privileges)
    has the runner, ipykernel and the image's preloads imported. For each request it forks a *jail*.
*jail* (one per sandbox; the same privileges, its own session and cgroup; outlives everybody)
    makes the cgroup, forks the *builder*, reads the accounts each second, reports to whoever is
    connected to ``jail.sock``, and at the end writes ``exit.json`` and removes the cgroup.
*builder* (lives for some milliseconds)
    takes on an unprivileged host user, unshares the namespaces, forks the *runner*, and ends.
*runner* (pid 1 of the sandbox)
    makes its private root, gives up every capability, installs the seccomp filter, and serves.

Between them: ``lifeline``, a socket pair from jail to runner. The runner reports on it that it is
ready, and when somebody typed or something computes; when the jail dies the runner reads its end
and the sandbox, whose pid 1 it is, dies with it: it fails closed. Over it, before anything else, the
runner hands the jail the descriptor of its seccomp filter: system calls that the policy asks about wait
there for the jail's answer.

Modules, in the order of use: :mod:`plan` (what to build, as data), :mod:`zygote` and :mod:`forks`,
:mod:`supervisor` (the jail) with :mod:`shown` (what it lets be seen: :mod:`seen`) and :mod:`guard` (the disk limit),
:mod:`notices`, :mod:`cgroups` and :mod:`disks` (limits and accounts), :mod:`making` and :mod:`beginning`,
:mod:`builder`, :mod:`root` (the private root), :mod:`notifier` (asked calls), :mod:`claim` (spare sandboxes),
:mod:`linux` (system calls).
"""

"""A fork without Python's hooks is a whole process all the same."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def _run(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_child_runs_threads_and_further_forks() -> None:
    said = _run("""
        import os, threading
        from sandbox.runner.forking import fork

        pid = fork()
        if pid == 0:
            thread = threading.Thread(target=print, args=("a thread",), kwargs={"flush": True})
            thread.start()
            thread.join()
            if os.fork() == 0:
                os._exit(3)
            os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """)
    assert said == "a thread\n3\n"


def test_the_hooks_do_not_run() -> None:
    said = _run("""
        import os
        from sandbox.runner.forking import fork

        os.register_at_fork(after_in_child=lambda: print("a hook", flush=True))
        if fork() == 0:
            os._exit(0)
        os.wait()
        print("none")
    """)
    assert said == "none\n"


def test_no_room_for_another_process_is_an_error() -> None:
    said = _run("""
        import os, resource
        from sandbox.runner.forking import fork

        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            fork()
        except BlockingIOError:
            print("refused")
    """)
    assert said == "refused\n"

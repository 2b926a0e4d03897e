"""Run one local service so that it never outlives the process that wanted it.

``python -I -S guard.py FOLDER LOG COMMAND...`` starts COMMAND in FOLDER with its output in LOG, prints its process id
and then listens on its own standard input, which is a pipe from the parent:

- ``stop``: end the service (SIGTERM, after five seconds SIGKILL) and keep its folder;
- ``kill``: end it with SIGKILL, as a crash would, and keep its folder;
- end of file, which is also what the kernel sends when the parent dies in whatever way (SIGTERM to the guard counts as
  the same): end the service, remove FOLDER and, if nothing else is left in it, the folder above.

A thread or a signal handler in the parent could not promise that: nothing of the parent runs after a SIGKILL. The exit
code is the service's own if it ended by itself, else 0. This file imports the standard library alone, so it starts in
about 20 ms.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

STOP_SECONDS = 5.0
POLL_SECONDS = 0.1


def _die_with_guard() -> None:
    """On Linux, ask the kernel to end the service even if this guard is killed with SIGKILL."""
    if sys.platform.startswith("linux"):
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _end(service: subprocess.Popen[bytes], *, at_once: bool) -> None:
    if not at_once:
        service.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.wait(STOP_SECONDS)
            return
    service.kill()
    service.wait()


def guard(folder: Path, log: Path, command: list[str]) -> int:
    """Start ``command``, wait for it or for the parent's word, and return the exit code of this process."""
    with log.open("ab") as output:
        service = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is the parent's business
            preexec_fn=_die_with_guard,  # noqa: PLW1509 - this process has one thread
        )
    told_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    with contextlib.suppress(BrokenPipeError):  # a parent that died meanwhile: the loop below notices and cleans up
        print(service.pid, flush=True)  # noqa: T201 - the parent reads it
    while service.poll() is None:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable:
            word = os.read(0, 64)
        elif told_to_stop.is_set():
            word = b""
        else:
            continue
        _end(service, at_once=word.startswith(b"kill"))
        if not word:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.parent.rmdir()
        return 0
    return service.returncode if service.returncode >= 0 else 128 - service.returncode


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))

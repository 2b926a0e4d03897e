"""``shopwarden`` without its two seconds of imports: a process that has them forks for each command.

The pages run some hundred commands, and imports are most of what these cost. Each command is still a process of its
own, with the arguments, environment, folder and streams of whoever called it, and an exit code.

``python -m tests.docs.warm_commands SOCKET`` serves; ``CLIENT`` is what stands in for ``shopwarden`` on the path.
"""

import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

MODULES = (
    *(f"streams.commands.{name}" for name in ("compare", "explain", "policies", "record", "replay", "standing")),
    *("detectors.apply", "detectors.evaluation.scorecard", "streams.clients", "streams.replay", "streams.topics"),
    *("confluent_kafka", "redis", "rich.console", "scipy.special", "zstandard"),
)
#: Environment and arguments in one message.
_MOST_BYTES = 1 << 18
CLIENT = """\
#!{python} -IS
import json, os, socket, sys, time
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for _ in range(3000):
    try:
        server.connect("{path}")
        break
    except OSError:
        time.sleep(0.02)
call = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(server, [call], [0, 1, 2])
answer = server.recv(1)
sys.exit(answer[0] if answer else 1)
"""


def serve(path: str) -> NoReturn:
    """Answer calls until ended."""
    for name in MODULES:
        importlib.import_module(name)
    # Ended commands are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(16)
        while True:
            caller, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(caller)
            caller.close()


def _answer(caller: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    call, streams, _, _ = socket.recv_fds(caller, _MOST_BYTES, 3)
    arguments, environment, folder = json.loads(call)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    code = _run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    caller.send(bytes([code]))
    os._exit(code)


def _run(arguments: list[str]) -> int:
    from streams.cli import main

    code: Any = 0
    try:
        main(arguments, prog_name="shopwarden")
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a program
        sys.excepthook(*sys.exc_info())
        code = 1
    return code & 0xFF if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    serve(sys.argv[1])

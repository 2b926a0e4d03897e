"""A console beside the demo: a process of its own, as in production, for somebody who watches and decides."""

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from streams.demo.options import worker_environment
from streams.local_process import LocalProcess

_COMMAND: Final = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "console"]
_START_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1
_ADDRESS: Final = re.compile(r"http://\S+/sign-in#token=\S+")


class DemoConsole:
    """A console for as long as a ``with`` block lasts; ``address`` is where to sign in, empty if it did not start.

    Parameters
    ----------
    folder
        Of the demo: the console's files go with it.
    values
        Settings of the demo.
    """

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        self._process = LocalProcess("console", folder / "console")
        files = {"console": {"port": 0, "folder": str(folder / "console" / "files")}}
        self._environment = worker_environment({**values, **files})
        self.address = ""

    def __enter__(self) -> Self:
        self._process.start(_COMMAND, self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.end()

    def await_address(self) -> str:
        """Where to sign in, once the console listens; why it does not, if so."""
        until = time.monotonic() + _START_SECONDS
        while self._process.running and time.monotonic() < until:
            if self._process.log.exists() and (found := _ADDRESS.search(self._process.log.read_text(errors="replace"))):
                self.address = found[0]
                return f"The console, to watch and decide: sign in at\n\n    {self.address}\n"
            time.sleep(_LOOK_SECONDS)
        return f"The console did not start. Its last words:\n{self._process.log_tail()}"

"""A report's files: the page, the scorecard for programs, and the statements of reasons to hand in."""

from pathlib import Path
from typing import Any, Final

import msgspec

from detectors.metrics.estimate import Period
from detectors.metrics.ledger import Ledger
from detectors.metrics.scorecard import Scorecard
from detectors.metrics.transparency import batches, statements
from streams.metrics.page import html_page

PAGE: Final = "scorecard.html"
CARD: Final = "scorecard.json"
STATEMENTS: Final = "statements"


class ReportError(Exception):
    """A report that cannot be written; the message says why."""


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that cannot be used before hours of reading go into it.

    Raises
    ------
    ReportError
        It is a file, or holds something and ``overwrite`` is not set, or cannot be made.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise ReportError(f"{folder} is a file; name a folder")
        if folder.is_dir() and any(folder.iterdir()) and not overwrite:
            raise ReportError(f"{folder} is not empty; choose another folder or pass --overwrite")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{folder} cannot be used: {error.strerror or error}") from error


def write_report(folder: Path, card: Scorecard, ledger: Ledger) -> list[Path]:
    """Write all files of a report; those of an earlier one are replaced. Returns what was written.

    Raises
    ------
    ReportError
        A file cannot be written.
    """
    stated = statements(ledger.state, Period(card.start, card.end, card.now))
    files: dict[Path, bytes] = {
        folder / PAGE: html_page(card).encode(),
        folder / CARD: _json(card),
    }
    for number, batch in enumerate(batches(stated), 1):
        files[folder / STATEMENTS / f"statements-{number:04d}.json"] = _json(batch)
    try:
        for old in (folder / STATEMENTS).glob("statements-*.json"):
            old.unlink()
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise ReportError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    return list(files)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"

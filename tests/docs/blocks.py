"""Commands in the documentation: fenced blocks of ``bash``, with what the comments above them say.

Comments of HTML stand right above a fence, one a line, and readers do not see them:

- ``<!-- first: COMMAND -->``: run before the block, for what a reader of the page has already;
- ``<!-- until: COMMAND -->``: the block waits until this succeeds, as a reader would wait;
- ``<!-- in the background -->``: the block runs on while the next ones do;
- ``<!-- tested by: tests/….py -->``: too large for here; that test runs it;
- ``<!-- not run: REASON -->``: it can't be run; the reason.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
_COMMENT = re.compile(r"\s*<!-- (first|until|in the background|tested by|not run)(?:: (.+))? -->\s*")
_COMMAND = re.compile(
    r"\s+\$?\s*(shopwarden|make|python|docker|docker-compose|export|npm|node|redis-cli|kubectl|kcat) "
)


class Block(Struct, frozen=True):
    """One block of commands: where it begins, its text, and what is said above it."""

    page: str
    line: int
    text: str
    first: tuple[str, ...] = ()
    until: str | None = None
    background: bool = False
    tested_by: str | None = None
    not_run: str | None = None

    @property
    def is_run(self) -> bool:
        """Whether the commands are run here."""
        return self.tested_by is None and self.not_run is None

    def commands(self) -> list[str]:
        """Its lines without comments; a line that goes on in the next is one."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"\s+#( .*|$)", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def pages() -> list[str]:
    """Every page that may hold commands: the README and docs/, but the decisions, which tell of their own time."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page.relative_to(ROOT).as_posix() for page in found if page.parent.name not in {"adr", "node_modules"}]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = re.match(r"(\s*)```(\w*)", lines[number])
        if fence is None:
            number += 1
            continue
        end = next(at for at in range(number + 1, len(lines)) if lines[at].strip() == "```")
        if fence[2] in {"bash", "sh", "shell", "console"}:
            indent = len(fence[1])
            text = "\n".join(line[indent:] for line in lines[number + 1 : end])
            yield _block(page, number, text, lines)
        number = end + 1


def _block(page: str, number: int, text: str, lines: list[str]) -> Block:
    said: dict[str, list[str]] = {}
    above = number - 1
    while above >= 0 and (comment := _COMMENT.fullmatch(lines[above])):
        said.setdefault(comment[1], []).insert(0, comment[2] or "")
        above -= 1
    return Block(
        page,
        number + 1,
        text,
        tuple(said.get("first", ())),
        next(iter(said.get("until", ())), None),
        "in the background" in said,
        next(iter(said.get("tested by", ())), None),
        next(iter(said.get("not run", ())), None),
    )


def unfenced(page: str) -> list[str]:
    """Commands in blocks that are set off by blanks alone, which no test would find."""
    found = []
    fenced = False
    before = ""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("```"):
            fenced = not fenced
        elif not fenced and line.startswith("    ") and not before.strip() and _COMMAND.match(line):
            found.append(line.strip())
        before = line
    return found

"""The place where commands of the pages run: a command that fails is found, and blocks do what their comments say."""

from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.docs import blocks as parser
from tests.docs.blocks import Block, blocks, unfenced
from tests.docs.sandbox import Sandbox, Stage

STAGE = Stage(Deployment("127.0.0.1:1", "redis://127.0.0.1:1/0", "t-", "docs", 1), {"NAME": "put-in"})


def block(text: str, line: int = 1, **said: object) -> Block:
    """A block of a page that there is not."""
    return Block("page.md", line, text, **said)  # type: ignore[arg-type]


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    """A mistake in an option ends the page, with where it stands and what was said."""
    page = [block("shopwarden policies check config/policies"), block("shopwarden contracts --no-such-option", 9)]
    with pytest.raises(AssertionError, match=r"(?s)page\.md ended with 2.*all well.*@@ page\.md:9.*No such option"):
        Sandbox(STAGE, tmp_path).run(page)


def test_a_target_that_is_not_there_fails(tmp_path: Path) -> None:
    """`make` is only expanded, but knows its targets."""
    with pytest.raises(AssertionError, match="No rule to make target"):
        Sandbox(STAGE, tmp_path).run([block("make check"), block("make no-such-target", 5)])


def test_blocks_share_a_shell(tmp_path: Path) -> None:
    """Variables and files last through a page, placeholders are filled in, and what is asked is answered with yes."""
    page = [
        block("export ONE=1", first=("TWO=2",)),
        block("sleep 1; touch late", 2, background=True),
        block('read -r answer; echo "$ONE$TWO NAME $answer" > told', 3, until="test -e late"),
        block("cat told", 4),
    ]
    assert "12 put-in y\n" in Sandbox(STAGE, tmp_path).run(page)


def test_what_stands_above_a_fence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments, the language and indentation of a fence, and commands outside of one are found."""
    monkeypatch.setattr(parser, "ROOT", tmp_path)
    lines = [
        "<!-- first: a -->",
        "<!-- first: b -->",
        "<!-- in the background -->",
        "```bash",
        "shopwarden worker  # goes on",
        "```",
        "```text",
        "shopwarden COMMAND",
        "```",
        "1. Item",
        "",
        "    <!-- not run: it needs a moon -->",
        "    ```bash",
        "    make \\",
        "      test",
        "    ```",
        "",
        "    shopwarden doctor",
    ]
    (tmp_path / "page.md").write_text("\n".join(lines))
    first, second = blocks("page.md")
    assert first == Block("page.md", 4, "shopwarden worker  # goes on", ("a", "b"), background=True)
    assert first.commands() == ["shopwarden worker"]
    assert not second.is_run and second.not_run == "it needs a moon" and second.text == "make \\\n  test"
    assert unfenced("page.md") == ["shopwarden doctor"]

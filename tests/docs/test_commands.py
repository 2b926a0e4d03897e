"""Every command in the documentation runs, page by page and in order, as a reader would type it.

What the comments above blocks mean stands in :mod:`tests.docs.blocks`.
"""

import re
from pathlib import Path

import click
import pytest

from streams.cli import main
from streams.embedded import EmbeddedServices
from tests.docs.blocks import ROOT, Block, blocks, pages, unfenced
from tests.docs.sandbox import PAGE_SECONDS, Sandbox, Stage, empty_stage, judged_stage

BLOCKS = {page: list(blocks(page)) for page in pages()}
#: Pages that begin with nothing, and fill their topics themselves.
FROM_NOTHING = {"README.md", "docs/simulator.md", "docs/tutorial/first-decision.md"}
#: Blocks that are not run, at most; whoever adds one has a reason that the next reader accepts.
MOST_NOT_RUN = 12
RUN = [page for page, found in BLOCKS.items() if any(block.is_run for block in found)]


@pytest.fixture(scope="module")
def judged(services: EmbeddedServices, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A deployment with history, for all pages that only look at it or add a little."""
    return judged_stage(services, tmp_path_factory.mktemp("stage"))


@pytest.mark.slow
@pytest.mark.timeout(PAGE_SECONDS + 180)
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_run(page: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """No command of the page fails, from its first block to its last."""
    services: EmbeddedServices = request.getfixturevalue("services")
    stage: Stage = empty_stage(services) if page in FROM_NOTHING else request.getfixturevalue("judged")
    Sandbox(stage, tmp_path).run([block for block in BLOCKS[page] if block.is_run])


@pytest.mark.parametrize("page", BLOCKS)
def test_commands_stand_in_fences(page: str) -> None:
    """A command that is set off by blanks alone would be run by no test."""
    assert unfenced(page) == []


def test_few_blocks_are_not_run() -> None:
    """Each block that is not run has a reason or the test that runs it, and there are few without such a test."""
    every = [block for found in BLOCKS.values() for block in found]
    for block in every:
        assert block.tested_by is None or (ROOT / block.tested_by).is_file(), block
        assert block.not_run is None or len(block.not_run.split()) >= 3, block
    not_run = [f"{block.page}:{block.line}: {block.not_run}" for block in every if block.not_run is not None]
    assert len(not_run) <= MOST_NOT_RUN, "\n".join(not_run)


NOT_RUN = [block for found in BLOCKS.values() for block in found if not block.is_run]


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: f"{block.page}:{block.line}")
def test_commands_that_are_not_run_exist(block: Block) -> None:
    """Also what is not run names commands, options and files that there are."""
    for line in block.commands():
        for part in line.split("&&"):
            words = part.split()
            if words[0] == "shopwarden":
                _parse(words[1:])
            for word in words:
                if re.fullmatch(r"(docs|tests|deploy)/[\w./-]+", word):
                    assert (ROOT / word).exists(), line


def _parse(words: list[str]) -> None:
    """Find the command, and each of its options among those that it has."""
    command: click.Command = main
    context = click.Context(main, info_name="shopwarden")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, (command.name, word)

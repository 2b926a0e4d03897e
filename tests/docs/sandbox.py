"""A place where the commands of a page run as a reader would type them: a shell, a broker, a store, some history."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streams.archive import ArchiveRecord
from streams.embedded import EmbeddedServices
from streams.simulator import Simulation, SimulatorConfig
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.docs.blocks import ROOT, Block
from tests.docs.warm_commands import CLIENT
from tests.fed import ends_of, feed
from tests.worker_process import Worker

PARTITIONS = 2
DAY_MS = 86_400_000
#: For all blocks of a page together, on a machine that does much else; most take some seconds.
PAGE_SECONDS = 600
#: `make` in a page is expanded, not run: its targets are whole campaigns, and `make check` and `make test` are what
#: runs this. A target that is not there fails.
MAKE = f"""\
#!/bin/sh
unset MAKEFLAGS MAKELEVEL
exec {shutil.which("make") or "make"} --no-print-directory -n -C '{ROOT}' "$@" > /dev/null
"""


@dataclass(frozen=True)
class Stage:
    """A deployment that a worker has judged a simulated marketplace in, and ids that are known there."""

    deployment: Deployment
    words: dict[str, str]
    #: Settings that the pages give themselves.
    without: frozenset[str] = frozenset()


def empty_stage(services: EmbeddedServices) -> Stage:
    """A deployment without topics, as a newcomer has it."""
    deployment = Deployment(services.brokers, services.redis_url, f"t{uuid.uuid4().hex[:10]}-", "docs", PARTITIONS)
    return Stage(deployment, _addresses(deployment), frozenset({"SHOPWARDEN_PSEUDONYM_KEY"}))


def judged_stage(services: EmbeddedServices, folder: Path) -> Stage:
    """A deployment with some 5,000 simulated events that end now, and what a worker published about them."""
    stage = empty_stage(services)
    deployment = stage.deployment
    create_topics(deployment.settings)
    now = time.time_ns() // 1_000_000
    simulated = Simulation(SimulatorConfig.for_events(5_000, seed=7, end=now - now % 1000))
    records = [ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulated]
    spoiled = [ArchiveRecord("orders", b"m1", value, now) for value in (b"{", b'{"type": "order.invented"}')]
    ends = ends_of(feed(deployment, [*records, *spoiled]))
    with Worker(deployment, folder) as worker:
        worker.until_checkpointed(ends)
        assert worker.stop() == 0
    events = [json.loads(message.value() or b"") for message in deployment.read(deployment.settings.topics.events)]
    decided = [each for each in events if each["type"] == "shopwarden.enforcement.decided.v1" and each["merchant_id"]]
    # Copied listings have the id of what they copy: one that is nobody else's.
    owners: dict[str, set[str]] = defaultdict(set)
    for each in events:
        if each.get("subject", {}).get("kind") == "listing":
            owners[each["subject"]["id"]].add(each["merchant_id"])
    listing = next(each for each in decided if len(owners[each["subject"]["id"]]) == 1)
    order = next(each for each in events if each.get("subject", {}).get("kind") == "order")
    letters = deployment.read(deployment.settings.topics.dead_letters)
    first = next(message for message in deployment.outputs() if message.partition() == 0)
    words = {
        "55e151dd5746d227": listing["merchant_id"],
        "899d67e0346ba826": listing["subject"]["id"],
        "DECISION_ID": listing["decision_id"],
        "ID": decided[0]["merchant_id"],
        "MERCHANT": order["merchant_id"],
        "ORDER": order["subject"]["id"],
        "335e2e43e1076cfd": bytes(first.key() or b"").decode(),
        "{shopwarden": f"{{{deployment.settings.worker.namespace}",
        # A month in the pages is some days of the history here.
        "2026-06-01": _day(now - 20 * DAY_MS),
        "2026-07-01": _day(now - 10 * DAY_MS),
        "0:17": f"{letters[0].partition()}:{letters[0].offset()}",
    }
    return Stage(deployment, stage.words | words)


def _day(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).date().isoformat()


def _addresses(deployment: Deployment) -> dict[str, str]:
    """What stands in pages for a reader's own addresses."""
    return {
        "kafka.example:9092": deployment.brokers,
        "127.0.0.1:9092": deployment.brokers,
        "redis://redis.example:6379/0": deployment.redis_url,
    }


class Sandbox:
    """A folder with parts of the repository in it, and `shopwarden` on the path."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._folder = folder / "page"
        self._folder.mkdir()
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        for name in ("config/policies", "docs/contracts", "docs/examples", "deploy"):
            shutil.copytree(ROOT / name, self._folder / name, ignore=ignored)
        tools = folder / "bin"
        tools.mkdir()
        # A path of a socket has a hundred characters at most.
        self._socket = Path(tempfile.mkdtemp(prefix="docs-")) / "commands"
        shopwarden = CLIENT.format(python=sys.executable, path=self._socket)
        for name, text in {"make": MAKE, "shopwarden": shopwarden, "redis-cli": _REDIS_CLI}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        python = Path(sys.executable).parent
        self._environment = {
            name: value for name, value in stage.deployment.environment().items() if name not in stage.without
        } | {
            "PATH": f"{tools}:{python}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            # Tables as on a wide terminal.
            "COLUMNS": "160",
        }

    def run(self, page: list[Block]) -> str:
        """Run the blocks in order; returns what they printed.

        Raises
        ------
        AssertionError
            A command failed or hung; the message has its page, line and output.
        """
        script = self._folder.parent / "page.sh"
        script.write_text("set -eo pipefail\n" + self._server() + "".join(map(self._part, page)))
        log = self._folder.parent / "page.log"
        # Whatever is asked is answered with yes.
        with log.open("wb") as output, subprocess.Popen(["yes"], stdout=subprocess.PIPE) as answers:
            shell = subprocess.Popen(
                ["bash", str(script)],
                cwd=self._folder,
                env=self._environment,
                stdin=answers.stdout,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code: int | None = shell.wait(PAGE_SECONDS)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self._end(shell)
                answers.kill()
                shutil.rmtree(self._socket.parent, ignore_errors=True)
        text = log.read_text(encoding="utf-8", errors="replace")
        said = "".join(f"\n-- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in self._logs())
        if code != 0:
            how = "did not end" if code is None else f"ended with {code}"
            raise AssertionError(f"{page[0].page} {how}:\n{text[-4000:]}{said}")
        return text

    def _server(self) -> str:
        """Starts what runs the commands, in the shell's process group, so that it ends with it."""
        return f"'{sys.executable}' -m tests.docs.warm_commands '{self._socket}' < /dev/null > ../commands.log 2>&1 &\n"

    def _part(self, block: Block) -> str:
        lines = [f"echo '@@ {block.page}:{block.line}'", *map(self._filled, block.first)]
        if block.until is not None:
            condition = self._filled(block.until)
            lines.append(f"until {condition} > /dev/null 2>&1; do sleep 0.5; done")
        text = self._filled(block.text)
        if block.background:
            text = f"(\n{text}\n) > ../background-{block.line}.log 2>&1 &"
        return "\n".join([*lines, text, ""])

    def _filled(self, text: str) -> str:
        """The text with what stands for a reader's own addresses and ids put in."""
        for word, value in self._stage.words.items():
            text = re.sub(rf"(?<![\w/.-]){re.escape(word)}(?![\w/-])", value, text)
        return text

    def _logs(self) -> list[Path]:
        return [self._folder.parent / "commands.log", *sorted(self._folder.parent.glob("background-*.log"))]

    def _end(self, shell: "subprocess.Popen[bytes]") -> None:
        """End what runs in the background still, workers in order."""
        deadline = time.monotonic() + 20
        try:
            os.killpg(shell.pid, signal.SIGTERM)
            while time.monotonic() < deadline:
                os.killpg(shell.pid, 0)
                shell.poll()
                time.sleep(0.1)
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


#: As much of redis-cli as the pages use, as nobody installs it for the tests.
_REDIS_CLI = f"""\
#!{sys.executable}
import os, sys
import redis
with redis.Redis.from_url(os.environ["SHOPWARDEN_REDIS__URL"], decode_responses=True) as client:
    if sys.argv[1:3] == ["--scan", "--pattern"]:
        print("\\n".join(client.scan_iter(match=sys.argv[3])))
    else:
        found = client.execute_command(*sys.argv[1:])
        if found is None:
            sys.exit(sys.argv[1:])
        print(found)
"""

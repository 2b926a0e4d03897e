"""Mutated records through ``shopwarden worker`` as a process, between the embedded broker and store."""

import time
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from features.decode import TOPIC_KINDS, Rejection, decode
from streams.archive import ArchiveRecord, Headers
from streams.clients import kafka_config
from streams.dead_letters import DeadLetter, Selection, read_dead_letters
from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from streams.worker import make_judge
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.fuzz.live_path import PROCESSED
from tests.fuzz.mutations import Mutated
from tests.worker_process import Worker

PARTITIONS = 4
#: Header by which a record is known again.
_NUMBER = "fuzz-number"


class WorkerOutcome(Struct, frozen=True):
    """What became of the records fed; ``counts`` as in :class:`tests.fuzz.live_path.Outcome`."""

    fed: int
    processed: int
    dead_letters: int
    counts: dict[str, Counter[str]]
    seconds: float
    exit_code: int | None


def run_worker(records: Iterable[Mutated], services: EmbeddedServices, folder: Path) -> WorkerOutcome:
    """Feed records to a worker, and wait until its checkpoints cover them all.

    Raises AssertionError when a record is neither processed nor a dead letter, is both, or became a dead letter for
    another reason than the decoder gives.
    """
    deployment = Deployment(services.brokers, services.redis_url, f"t{uuid.uuid4().hex[:10]}-", "fuzz", PARTITIONS)
    create_topics(deployment.settings)
    mutations = []
    archive = []
    for number, each in enumerate(records):
        mutations.append(each.mutation)
        headers: Headers = (*each.headers, (_NUMBER, str(number).encode()))
        archive.append(ArchiveRecord(each.topic, each.key, each.value, each.timestamp, headers))
    fed = feed(deployment, archive)
    assert len(fed) == len(archive)
    began = time.monotonic()
    with Worker(deployment, folder) as worker:
        worker.until_checkpointed(ends_of(fed))
        seconds = time.monotonic() - began
        code = worker.stop()
    letters = _letters(deployment)
    limits = make_judge(deployment.settings).settings.limits
    kinds = {deployment.settings.topics.name(kind): kind for kind in TOPIC_KINDS}
    counts: dict[str, Counter[str]] = {}
    for record in fed:
        letter = letters.pop((record.topic, record.partition, record.offset), None)
        event = decode(kinds[record.topic], record.key, record.value, record.timestamp, limits)
        became = event.code if isinstance(event, Rejection) else PROCESSED
        if became == PROCESSED and kinds[record.topic] == "feedback" and letter and letter.reason == "inapplicable":
            # Well formed, about a decision that nobody made.
            became = letter.reason
        assert (letter.reason if letter else PROCESSED) == became, record
        if letter:
            assert (letter.key, letter.value) == (record.key, record.value)
        counts.setdefault(mutations[int(record.headers[_NUMBER] or b"")], Counter())[became] += 1
    assert not letters, f"dead letters of records that were not fed: {list(letters)[:5]}"
    processed = sum(counter[PROCESSED] for counter in counts.values())
    statistics = deployment.statistics()
    assert (statistics.records, statistics.rejected) == (len(fed), len(fed) - processed)
    return WorkerOutcome(len(fed), processed, statistics.rejected, counts, seconds, code)


def _letters(deployment: Deployment) -> dict[tuple[str, int, int], DeadLetter]:
    """Dead letters by the place of the record in its topic; each record has one at most."""
    settings = deployment.settings
    found: dict[tuple[str, int, int], DeadLetter] = {}
    for letter in read_dead_letters(kafka_config(settings), settings.topics.dead_letters, Selection()):
        topic, partition, offset = letter.source.rsplit(":", 2)
        place = (topic, int(partition), int(offset))
        assert place not in found, f"two dead letters for {place}"
        found[place] = letter
    return found

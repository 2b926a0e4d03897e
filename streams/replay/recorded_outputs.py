"""What a live run published: its outputs by topic and id, as they lie in their topics."""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from config.settings import Settings
from streams.archive import Headers
from streams.clients import kafka_config
from streams.reading import PATIENCE_SECONDS, TopicReader, read_to_end
from streams.recording import as_bytes, headers_of
from streams.topic_names import contract_names

#: Contract's name of the topic, and the id.
Name: TypeAlias = tuple[str, str]


class RecordedOutput(Struct, frozen=True):
    """An output and where it lies."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int
    offset: int


class RecordedOutputs(Struct):
    """All of them.

    Attributes
    ----------
    by_name
        The first of each id.
    repeated
        Outputs that are there again under the same id, with the same bytes.
    unlike
        Ids that are there again with other bytes.
    """

    by_name: dict[Name, RecordedOutput]
    repeated: int = 0
    unlike: list[Name] = []


def read_outputs(settings: Settings, topics: list[str], patience: float = PATIENCE_SECONDS) -> RecordedOutputs:
    """Read output topics to their ends.

    Raises
    ------
    streams.reading.ReadError
        They can't be read.
    """
    found = RecordedOutputs({})
    for name, output in _outputs(settings, topics, patience):
        before = found.by_name.setdefault(name, output)
        if before is output:
            continue
        if (before.key, before.value, before.headers) == (output.key, output.value, output.headers):
            found.repeated += 1
        else:
            found.unlike.append(name)
    return found


def _outputs(settings: Settings, topics: list[str], patience: float) -> Iterator[tuple[Name, RecordedOutput]]:
    contract = contract_names(settings.topics)
    with TopicReader(kafka_config(settings), topics, patience=patience) as reader:
        for message in read_to_end(reader):
            headers = headers_of(message)
            identifier = dict(headers).get("ce_id") or b""
            name = contract[message.topic() or ""], identifier.decode("utf-8", "replace")
            place = message.partition() or 0, message.offset() or 0
            yield name, RecordedOutput(as_bytes(message.key()), as_bytes(message.value()), headers, *place)

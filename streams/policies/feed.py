"""Reads the topic of policies for a worker: to its end when a shard is taken over, and from then on as it grows."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Message

from streams.policies.library import PolicyLibrary
from streams.policies.publication import KnownPublication, read_publication
from streams.reading import NoTopicError, ReadError, TopicReader, read_to_end

logger = logging.getLogger("shopwarden.policies")

#: Seconds between two looks at the topic.
EVERY_S: Final = 1.0
#: Seconds that a look waits for what comes.
_LOOK_S: Final = 0.2
#: Seconds until the topic is read anew after the broker refused.
_AGAIN_S: Final = 5.0
#: Seconds until it is looked for again while there is none.
_MISSING_S: Final = 10.0


class PolicyFeed:
    """Keeps a library up to date. While there is no topic it stays as it is.

    Sets are compiled in a thread, so that the shards go on meanwhile.
    """

    def __init__(self, library: PolicyLibrary, config: Mapping[str, Any], topic: str) -> None:
        self.library = library
        self._config = dict(config)
        self._topic = topic

    async def catch_up(self) -> None:
        """Read to the topic's present end.

        Raises
        ------
        streams.reading.ReadError
            The broker does not answer, or refuses.
        """
        with contextlib.suppress(NoTopicError):
            self._take(await asyncio.to_thread(self._read_to_end, self.library.end))

    async def follow(self) -> None:
        """Read what is published, until cancelled. While the broker is away, what is in force stays."""
        while True:
            pause = _AGAIN_S
            try:
                with await asyncio.to_thread(self._open) as reader:
                    while True:
                        found = await asyncio.to_thread(_look, reader)
                        self._take(found)
                        await asyncio.sleep(EVERY_S)
            except NoTopicError:
                pause = _MISSING_S
            except ReadError as error:
                logger.warning("the topic of policies cannot be read just now: %s", error)
            await asyncio.sleep(pause)

    def _take(self, found: list[KnownPublication]) -> None:
        library = self.library
        for each in found:
            if each.offset < library.end:
                continue
            number = None if each.publication is None else each.publication.number
            if each.policies is None:
                logger.error("a published policy set is ignored: %s", each.why, extra={"publication": number})
            else:
                version = each.policies.version
                logger.info("policies published", extra={"publication": number, "policies": version})
        library.add(found)

    def _open(self) -> TopicReader:
        return TopicReader(self._config, [self._topic], start={(self._topic, 0): self.library.end})

    def _read_to_end(self, start: int) -> list[KnownPublication]:
        with TopicReader(self._config, [self._topic], start={(self._topic, 0): start}) as reader:
            return _compiled(list(read_to_end(reader)))


def _look(reader: TopicReader) -> list[KnownPublication]:
    return _compiled([each for each in reader.poll(_LOOK_S, must_come=False) if isinstance(each, Message)])


def _compiled(messages: list[Message]) -> list[KnownPublication]:
    read = (read_publication(message.offset() or 0, message.value()) for message in messages)
    return [each for each in read if each is not None]

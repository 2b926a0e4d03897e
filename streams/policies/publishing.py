"""Publishes policy sets, and reads what was published."""

import time
from collections.abc import Mapping, Sequence

from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.clients import kafka_config, producer_config
from streams.policies.publication import (
    EVERYBODY,
    Act,
    KnownPublication,
    Publication,
    compile_files,
    encode,
    read_publication,
)
from streams.producing import ArchiveProducer, ProduceError
from streams.reading import TopicReader, read_to_end
from streams.topics import check_topics


class PublishingError(Exception):
    """A policy set cannot be published; the message says why."""


def read_history(settings: Settings) -> list[KnownPublication]:
    """Every publication, in the order in which workers see them.

    Raises
    ------
    streams.reading.ReadError
        No broker answers, or the topic does not exist.
    """
    with TopicReader(kafka_config(settings), [settings.topics.policies]) as reader:
        read = [read_publication(message.offset() or 0, message.value()) for message in read_to_end(reader)]
    return [each for each in read if each is not None]


def published_policies(settings: Settings) -> list[KnownPublication]:
    """The same, and nothing where there is no topic of policies."""
    return read_history(settings) if check_topics(settings).policies is not None else []


def numbered(history: Sequence[KnownPublication], number: int) -> KnownPublication | None:
    """The publication of a number; of two that were published at once under one, the later."""
    return next((each for each in reversed(history) if each.publication and each.publication.number == number), None)


def make_publication(
    history: Sequence[KnownPublication],
    files: Mapping[str, str],
    *,
    by: str,
    why: str,
    act: Act = "publish",
    rolls_back_to: int | None = None,
    percent: float = EVERYBODY,
    salt: str = "",
) -> Publication:
    """The next publication; its fields are those of Publication.

    Raises
    ------
    config.policies.PolicyError
        The set can't be used.
    """
    version = compile_files(files).version
    numbers = [each.publication.number for each in history if each.publication is not None]
    return Publication(
        number=max(numbers, default=0) + 1,
        version=version,
        published_at=time.time_ns() // 1_000_000,
        by=by,
        why=why,
        files=dict(files),
        rolls_back_to=rolls_back_to,
        act=act,
        percent=percent,
        # Of its own for each set, so that it is not always the same merchants on whom things are tried.
        salt=salt if salt or percent >= EVERYBODY else version,
    )


def publish(settings: Settings, publication: Publication) -> None:
    """Put a publication into the topic, and wait until the broker has it.

    Raises
    ------
    PublishingError
        It is too large, or the broker did not take it.
    """
    try:
        value = encode(publication)
        producer = ArchiveProducer(producer_config(settings))
        producer.send(ArchiveRecord(settings.topics.policies, publication.key, value))
        report = producer.flush()
    except (ValueError, ProduceError) as error:
        raise PublishingError(str(error)) from error
    if report.failed or not report.delivered:
        reasons = ", ".join(report.failures) or report.stopped or "the broker did not answer"
        raise PublishingError(f"the broker did not take it: {reasons}")

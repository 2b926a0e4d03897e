"""Policy sets to publish in tests, and a library that hears of them at a flush of one's choice."""

from collections.abc import Callable

from config.policies import PACKAGED, policy_texts
from detectors.judge import Judge
from features.policy_notices import PolicyNotice
from streams.policies.library import PolicyLibrary
from streams.policies.publication import KnownPublication, Publication, compile_files, encode, read_publication

PUBLISHED_AT = 1_800_000_000_000


def files(*replacements: tuple[str, str], file: str = "orders.yaml") -> dict[str, str]:
    """The packaged policies with words of a file replaced, each once."""
    texts = policy_texts(PACKAGED)
    for before, after in replacements:
        assert before in texts[file]
        texts[file] = texts[file].replace(before, after, 1)
    return texts


def in_shadow(rule: str) -> dict[str, str]:
    """The packaged policies with one rule in shadow."""
    texts = policy_texts(PACKAGED)
    (file,) = [name for name, text in texts.items() if f"- id: {rule}\n" in text]
    begin = texts[file].index(f"- id: {rule}\n")
    texts[file] = texts[file][:begin] + texts[file][begin:].replace("mode: enforce", "mode: shadow", 1)
    return texts


#: The packaged policies, but a high rate of bad orders only is watched.
MILDER = in_shadow("bad-order-rate")
BROKEN = files(("severity: elevated", "severity: elevatd"))


def publication(number: int, texts: dict[str, str], **more: object) -> Publication:
    """A publication of a set."""
    try:
        version = compile_files(texts).version
    except ValueError:
        version = "unknown"
    said = {"by": "ann", "why": "a test", "published_at": PUBLISHED_AT} | more
    return Publication(number=number, version=version, files=texts, **said)  # type: ignore[arg-type]


def known(offset: int, texts: dict[str, str], **more: object) -> KnownPublication:
    """A publication as a worker reads it from the topic."""
    found = read_publication(offset, encode(publication(offset + 1, texts, **more)))
    assert found is not None
    return found


class Scheduled(PolicyLibrary):
    """Hears of publications before the flush with a given number."""

    def __init__(self, judge: Judge, at: int, *publications: KnownPublication) -> None:
        super().__init__(judge)
        self._at = at
        self._coming = publications
        self.sequence: Callable[[], int] = lambda: 0

    def news(self, since: int, previous: str) -> list[PolicyNotice]:
        """As of the library, which hears of it just in time."""
        if self.sequence() + 1 >= self._at:
            self.add(self._coming)
        return super().news(since, previous)

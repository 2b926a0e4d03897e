"""Who is malicious in an archive, as a file says it.

The form that anybody can write::

    {"merchants": {"m1": {"pattern": "bust_out", "start_ms": 1767225600000}},
     "honest": ["m2", "m3"], "listings": {"l1": "counterfeit"}, "traps": {"viral_burst": ["m3"]}}

``merchants`` must name at least one. Without ``honest``, every other merchant of the archive counts as honest; with it,
those named nowhere are left out. ``listings``, ``traps`` (honest trouble that looks like an attack) and ``buyers`` (the
pattern of abusive ones, by id) may be absent. Files of the simulator are read as well, older ones included; other
fields are ignored.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field


class Malice(Struct, frozen=True):
    """What a merchant does, and from when (ms); ``also`` names other patterns that may rightly be said of it."""

    pattern: Annotated[str, Meta(min_length=1)]
    start_ms: Annotated[int, Meta(ge=0)]
    also: tuple[str, ...] = ()


class Labels(Struct, kw_only=True):
    """Malicious merchants and listings, and honest merchants: ``None`` for all others, ``traps`` by kind of trouble.

    ``buyers``: pattern of each abusive buyer, by the id that orders name it with.
    """

    merchants: Annotated[dict[str, Malice], Meta(min_length=1)]
    honest: list[str] | None = None
    listings: dict[str, str] = field(default_factory=dict)
    traps: dict[str, list[str]] = field(default_factory=dict)
    buyers: dict[str, str] = field(default_factory=dict)


class LabelsError(Exception):
    """A truth file that cannot be used; the message names the file and what is wrong."""


def read_labels(path: Path) -> Labels:
    """Read a truth file.

    Raises
    ------
    LabelsError
        It cannot be read, has another form, names no malicious merchant, or names one as honest too.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise LabelsError(f"{path} cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LabelsError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise LabelsError(f"{path} is not a truth file: it holds no JSON object")
    try:
        labels = msgspec.convert(_of_simulator(content), Labels)
    except msgspec.ValidationError as error:
        if not content.get("merchants"):
            raise LabelsError(
                f"{path} names no malicious merchant: it needs "
                '"merchants": {ID: {"pattern": NAME, "start_ms": TIME}}'
            ) from None
        raise LabelsError(f"{path} is not a truth file: {error}") from error
    both = labels.merchants.keys() & set(labels.honest or ())
    if both:
        raise LabelsError(f"{path} names {min(both)!r} as malicious and as honest")
    return labels


def _of_simulator(content: dict[str, Any]) -> dict[str, Any]:
    """A file of the simulator in the common form; any other as it is."""
    found = dict(content)
    try:
        if isinstance(content.get("merchants"), int):
            found["merchants"] = {
                merchant: {"pattern": name, "start_ms": onset}
                for name, episode in content.get("attacks", {}).items()
                for merchant, onset in episode["onsets"].items()
            }
        if "hard_negatives" in content and "traps" not in content:
            found["traps"] = {name: episode["merchants"] for name, episode in content["hard_negatives"].items()}
    except (AttributeError, KeyError, TypeError):
        return content
    return found

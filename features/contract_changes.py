"""What changed between two versions of the published contract, for ``shopwarden contracts check`` and our own releases.

Compared are AsyncAPI documents as :mod:`features.contract_schema` makes them: topics, which messages they hold, keys
and headers, and the schemas of the values, each in its direction (:mod:`features.schema_changes`).
"""

from collections.abc import Iterator

from features.schema_changes import Change, Json, SchemaComparison


class ContractError(ValueError):
    """A document is not a contract of ours."""


def contract_changes(old: Json, new: Json, *, addresses: bool = True) -> list[Change]:
    """Everything that differs, by topic and message; ``addresses`` are the topics' names, which deployments choose.

    Raises
    ------
    ContractError
        A document lacks parts that are compared.
    """
    try:
        return list(_channels(old, new, addresses))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ContractError(
            f"not an AsyncAPI document of Shopwarden: {error!r} is missing or of another kind"
        ) from None


def _channels(old: Json, new: Json, addresses: bool) -> Iterator[Change]:
    schemas = SchemaComparison(old, new)
    before, after = old["channels"], new["channels"]
    directions, now = _directions(old), _directions(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield Change(name, "the topic was taken away", True)
            continue
        if name not in before:
            yield Change(name, "the topic is new", False)
            continue
        if directions[name] != now[name]:
            yield Change(name, "was read and is published" if directions[name] else "was published and is read", True)
            continue
        was, is_now = before[name]["address"], after[name]["address"]
        if addresses and was != is_now:
            yield Change(name, f"the topic was called {was} and is called {is_now}", True)
        if before[name]["bindings"] != after[name]["bindings"]:
            yield Change(name, "the topic is cleaned up in another way", True)
        yield from _messages(before[name]["messages"], after[name]["messages"], name, (old, new), schemas, now[name])


def _messages(
    before: Json, after: Json, topic: str, documents: tuple[Json, Json], schemas: SchemaComparison, reads: bool
) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        where = f"{topic}: {name}"
        if name not in after:
            yield Change(where, "was taken away", True)
            continue
        if name not in before:
            yield Change(where, "is new", False)
            continue
        old, new = (document["components"]["messages"][name] for document in documents)
        for part in ("contentType", "bindings"):
            if old.get(part) != new.get(part):
                yield Change(where, f"{'its key' if part == 'bindings' else 'the kind of its value'} changed", True)
        yield from schemas.compare(old["payload"], new["payload"], where, reads=reads)
        headers = old.get("headers"), new.get("headers")
        if headers[0] is not None and headers[1] is None:
            yield Change(where, "its headers were taken away", True)
        elif headers[0] is not None and headers[1] is not None:
            yield from schemas.compare(headers[0], headers[1], f"{where} (headers)", reads=reads)


def _directions(document: Json) -> dict[str, bool]:
    """By channel, whether we read it."""
    return {
        operation["channel"]["$ref"].rpartition("/")[2]: operation["action"] == "receive"
        for operation in document["operations"].values()
    }

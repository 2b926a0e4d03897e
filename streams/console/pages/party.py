"""What the pages of merchants and creators share."""

from typing import Any, Final

import msgspec
from aiohttp import web

from detectors.actions import TARGETS
from features.outputs import LEVELS
from streams.console.index.parties import PartyKind
from streams.console.index.reading import IndexReader, Row
from streams.console.pages import timeline
from streams.console.pages.present import present_state
from streams.console.service import in_thread, service_of
from streams.console.web import asked, asked_number, bad_request, not_found, render

PAGE: Final = 50
_DECISIONS: Final = 30


def listed(index: IndexReader, kind: PartyKind, level: int | None, skip: int) -> list[Row]:
    """A page of the parties of a kind, the worst level first and then the latest change."""
    if level is None:
        return index.rows(_ALL, (kind, PAGE, skip))
    return index.rows(_OF_LEVEL, (kind, level, PAGE, skip))


async def show_list(request: web.Request, kind: PartyKind) -> web.StreamResponse:
    """The list."""
    index = service_of(request).index
    name = request.query.get("level") or None
    if name is not None and name not in LEVELS:
        raise bad_request(f"Levels are {', '.join(LEVELS)}, and not {name[:40]!r}.")
    level = None if name is None else LEVELS.index(name)
    skip = asked_number(request, "skip", 0, 1_000_000)
    return render(
        request,
        "parties.html",
        kind=kind,
        parties=await in_thread(request, listed, index, kind, level, skip),
        counts=await in_thread(request, index.counts, f"{kind}s"),
        chosen=name,
        skip=skip,
        size=PAGE,
    )


def known(index: IndexReader, kind: PartyKind, name: str, before: int) -> dict[str, Any] | None:
    """What the index knows of a party."""
    row = index.party(kind, name)
    if row is None:
        return None
    standing = {} if row["standing"] is None else msgspec.json.decode(row["standing"], type=dict[str, Any])
    return {
        "party": dict(row),
        "standing": standing,
        "decisions": index.rows(_OF_PARTY, (row["id"], _DECISIONS)),
        "entries": timeline.of_party(index, row["id"], kind, before),
        "listings": index.rows(_LISTINGS, (row["id"], _DECISIONS)) if kind == "merchant" else [],
        "sales": index.rows(_SALES, (row["id"],)),
    }


async def show_party(request: web.Request, kind: PartyKind, template: str) -> web.StreamResponse:
    """The page of one party: what the index knows, and what Redis holds now."""
    service = service_of(request)
    name = asked(request, "id")
    before = asked_number(request, "before", 2**62)
    found = await in_thread(request, known, service.index, kind, name, before)
    if found is None:
        raise not_found(f"No {kind} {name!r} is known here. Ids are told apart by case.")
    policies = service.judge.policies
    return render(
        request,
        template,
        kind=kind,
        name=name,
        before=before,
        rules=sorted(rule.id for rule in policies.rules.values() if rule.mode == "enforce"),
        policies=sorted(policies.statements.policies),
        actions=[action for action, kinds in TARGETS.items() if kind in kinds],
        **await present_state(request, kind, name, name),
        **found,
    )


_ALL: Final = "SELECT * FROM party WHERE kind = ? ORDER BY level DESC, as_of DESC LIMIT ? OFFSET ?"
_OF_LEVEL: Final = "SELECT * FROM party WHERE kind = ? AND level = ? ORDER BY as_of DESC LIMIT ? OFFSET ?"
_OF_PARTY: Final = "SELECT * FROM decision WHERE party = ? ORDER BY starts_at DESC LIMIT ?"
_LISTINGS: Final = "SELECT * FROM listing WHERE party = ? ORDER BY changed DESC LIMIT ?"
_SALES: Final = (
    "SELECT day, currency, amount, orders FROM sales WHERE party = ? AND listing = '' ORDER BY day DESC LIMIT 60"
)

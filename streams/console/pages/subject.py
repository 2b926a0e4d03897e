"""What the pages of orders and listings share: finding whose it is, and its history."""

from typing import Any, Final, Literal

from aiohttp import web

from streams.console.index.reading import IndexReader, Row
from streams.console.pages import timeline
from streams.console.pages.present import present_state
from streams.console.service import in_thread, service_of
from streams.console.web import PageError, asked, asked_number, not_found, render

_DECISIONS: Final = 30


def owners(index: IndexReader, kind: Literal["order", "listing"], name: str, merchant: str) -> list[Row]:
    """The merchants that an order or listing of that name belongs to: ids are a merchant's own."""
    found = index.rows(_OWNERS[kind], (name, name))
    return [row for row in found if merchant in ("", row["name"])]


def known(index: IndexReader, kind: str, name: str, owner: Row, before: int) -> dict[str, Any]:
    """What the index knows of it."""
    return {
        "owner": dict(owner),
        "entries": timeline.of_subject(index, owner["id"], name, before),
        "decisions": index.rows(_OF_SUBJECT, (name, owner["id"], kind, _DECISIONS)),
        "listing": index.row("SELECT * FROM listing WHERE party = ? AND name = ?", (owner["id"], name))
        if kind == "listing"
        else None,
        "order": index.row(_PLACED, (name, owner["id"])) if kind == "order" else None,
        "sales": index.rows(_SALES, (owner["id"], name)) if kind == "listing" else [],
    }


async def show(request: web.Request, kind: Literal["order", "listing"], template: str) -> web.StreamResponse:
    """The page."""
    service = service_of(request)
    name = asked(request, "id")
    merchant = asked(request, "merchant", "")
    before = asked_number(request, "before", 2**62)
    found = await in_thread(request, owners, service.index, kind, name, merchant)
    if not found:
        raise not_found(f"No {kind} {name!r} is known here. It may be older than the index.")
    if len(found) > 1:
        raise PageError(
            300, "More than one", f"{len(found)} merchants have a {kind} {name!r}; add &merchant=ID to the address."
        )
    owner = found[0]
    return render(
        request,
        template,
        kind=kind,
        name=name,
        before=before,
        **await present_state(request, kind, name, owner["name"]),
        **await in_thread(request, known, service.index, kind, name, owner, before),
    )


_OWNERS: Final = {
    "order": "SELECT * FROM party WHERE kind = 'merchant' AND id IN"
    " (SELECT party FROM event WHERE subject = ? AND type LIKE 'order.%'"
    " UNION SELECT party FROM decision WHERE subject = ? AND subject_kind = 'order') LIMIT 10",
    "listing": "SELECT * FROM party WHERE kind = 'merchant' AND id IN"
    " (SELECT party FROM listing WHERE name = ?"
    " UNION SELECT party FROM decision WHERE subject = ? AND subject_kind = 'listing') LIMIT 10",
}
_OF_SUBJECT: Final = (
    "SELECT * FROM decision WHERE subject = ? AND party = ? AND subject_kind = ? ORDER BY starts_at DESC LIMIT ?"
)
_PLACED: Final = (
    "SELECT e.*, c.name AS creator_name FROM event e LEFT JOIN party c ON c.id = e.creator"
    " WHERE e.subject = ? AND e.party = ? AND e.type = 'order.created' LIMIT 1"
)
_SALES: Final = (
    "SELECT day, currency, amount, orders FROM sales WHERE party = ? AND listing = ? ORDER BY day DESC LIMIT 60"
)

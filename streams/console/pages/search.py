"""Search: a merchant, creator, order, listing, decision or rule by its id or the beginning of it."""

from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from detectors.policy import PolicySet
from streams.console.index.reading import IndexReader
from streams.console.service import in_thread, service_of
from streams.console.web import asked, render

_MOST: Final = 20


def find(index: IndexReader, policies: PolicySet, text: str) -> list[dict[str, Any]]:
    """What an id means: whole ids of everything, and the beginnings of names of merchants and creators."""
    parties = index.rows(_PARTIES, (text, text + "\U0010ffff", _MOST))
    listings = index.rows(_LISTINGS, (text, _MOST))
    orders = index.rows(_ORDERS, (text, _MOST))
    decision = index.decision(text)
    found = [
        *(_hit(row["kind"], row["name"], level=row["level"]) for row in parties),
        *(_hit("listing", text, merchant=row["name"], words=row["title"]) for row in listings),
        *(_hit("order", text, merchant=row["name"]) for row in orders),
    ]
    if decision is not None:
        found.append(_hit("decision", decision["id"], words=decision["title"]))
    if (rule := policies.rule(text)) is not None:
        found.append(_hit("policy", rule.id, words=rule.title))
    return found


def _hit(kind: str, name: str, *, merchant: str = "", words: str = "", level: int | None = None) -> dict[str, Any]:
    query = {"id": name} | ({"merchant": merchant} if merchant else {})
    address = f"/{kind}?{urlencode(query)}"
    return {"kind": kind, "name": name, "merchant": merchant, "words": words, "level": level, "address": address}


async def show(request: web.Request) -> web.StreamResponse:
    """What was found; the page itself, where it is one thing."""
    service = service_of(request)
    text = asked(request, "q", "").strip()
    found = await in_thread(request, find, service.index, service.judge.policies, text) if text else []
    exact = [hit for hit in found if hit["name"] == text]
    if len(exact) == 1:
        raise web.HTTPSeeOther(exact[0]["address"])
    return render(request, "search.html", text=text, found=found)


ROUTES: Final = (web.get("/search", show),)

_PARTIES: Final = (
    "SELECT kind, name, level FROM party WHERE kind IN ('merchant', 'creator') AND name >= ? AND name < ?"
    " ORDER BY name LIMIT ?"
)
_LISTINGS: Final = "SELECT p.name, l.title FROM listing l JOIN party p ON p.id = l.party WHERE l.name = ? LIMIT ?"
_ORDERS: Final = (
    "SELECT DISTINCT p.name FROM event e JOIN party p ON p.id = e.party WHERE e.subject = ? AND e.type LIKE 'order.%'"
    " LIMIT ?"
)

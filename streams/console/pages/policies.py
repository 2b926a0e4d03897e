"""Policies: each rule with its volume and its precision by people's verdicts; and the page of one."""

from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from detectors.evaluation.proportions import Share, share
from detectors.policy import PolicySet
from detectors.rules import Rule
from streams.console.index.reading import IndexReader, Row
from streams.console.service import in_thread, service_of
from streams.console.web import asked, not_found, render

_DECISIONS: Final = 50


class RuleFigures(Struct, frozen=True):
    """A rule with what it led to.

    ``precision`` is of decisions that people judged, by a verdict or an appeal: how many were right. Who is judged is
    no random sample, so it says how often those were right that somebody looked at; the metrics estimate the rest.
    """

    id: str
    rule: Rule | None
    decisions: int
    parties: int
    waiting: int
    in_force: int
    appeals: int
    precision: Share


def figures(index: IndexReader, policies: PolicySet) -> list[RuleFigures]:
    """Every rule of the set, and those of earlier sets that decided; the busiest first."""
    rows = {row["rule"]: row for row in index.rows(_BY_RULE)}
    known = {**policies.rules, **policies.by_score}
    found = [_figures(name, known.get(name), rows.get(name)) for name in known.keys() | rows.keys()]
    return sorted(found, key=lambda each: (-each.decisions, each.id))


def _figures(name: str, rule: Rule | None, row: Row | None) -> RuleFigures:
    if row is None:
        return RuleFigures(name, rule, 0, 0, 0, 0, 0, share(0, 0))
    return RuleFigures(
        name,
        rule,
        row["decisions"],
        row["parties"],
        row["waiting"],
        row["in_force"],
        row["appeals"],
        share(row["right"], row["right"] + row["wrong"]),
    )


async def overview(request: web.Request) -> web.StreamResponse:
    """All rules."""
    service = service_of(request)
    policies = service.judge.policies
    return render(
        request,
        "policies.html",
        rules=await in_thread(request, figures, service.index, policies),
        version=policies.version,
        changes=await in_thread(request, service.index.rows, _CHANGES),
    )


def look(index: IndexReader, policies: PolicySet, name: str) -> dict[str, Any] | None:
    """One rule, with its latest decisions."""
    row = index.row(f"{_BY_RULE_OF} WHERE rule = ? AND mode = 'live' GROUP BY rule", (name,))
    rule = policies.rule(name)
    if row is None and rule is None:
        return None
    return {
        "figures": _figures(name, rule, row),
        "ladder": policies.ladders.get(rule.action or "") if rule is not None else None,
        "decisions": index.rows(_LATEST, (name, _DECISIONS)),
        "versions": index.rows(_VERSIONS, (name,)),
    }


async def one(request: web.Request) -> web.StreamResponse:
    """One rule."""
    service = service_of(request)
    name = asked(request, "id")
    found = await in_thread(request, look, service.index, service.judge.policies, name)
    if found is None:
        raise not_found(f"No rule {name!r} is known, and none decided anything.")
    return render(request, "policy.html", name=name, **found)


ROUTES: Final = (web.get("/policies", overview), web.get("/policy", one))

#: Overturned on appeal, or found clean: wrong. A decision that another one carries on counts with that one.
_BY_RULE_OF: Final = (
    "SELECT rule, count(*) AS decisions, count(DISTINCT party) AS parties, sum(state = 'waiting') AS waiting,"
    " sum(state = 'in_force') AS in_force, sum(appeals > 0) AS appeals,"
    " coalesce(sum(superseded_by IS NULL AND ifnull(appeal, '') != 'overturned' AND verdict = 'violation'), 0)"
    " AS right,"
    " coalesce(sum(superseded_by IS NULL AND (ifnull(appeal, '') = 'overturned' OR verdict = 'clean')), 0) AS wrong"
    " FROM decision"
)
_BY_RULE: Final = f"{_BY_RULE_OF} WHERE mode = 'live' GROUP BY rule"
_LATEST: Final = (
    "SELECT d.*, p.kind AS party_kind, p.name AS party_name FROM decision d JOIN party p ON p.id = d.party"
    " WHERE d.rule = ? ORDER BY d.starts_at DESC LIMIT ?"
)
_VERSIONS: Final = (
    "SELECT rule_version, count(*) AS decisions, min(starts_at) AS first, max(starts_at) AS last FROM decision"
    " WHERE rule = ? GROUP BY rule_version ORDER BY first DESC"
)
_CHANGES: Final = (
    "SELECT ce_id, type, time, value FROM output WHERE type IN ('shopwarden.policies.changed.v1',"
    " 'shopwarden.policies.refused.v1') ORDER BY time DESC LIMIT 10"
)

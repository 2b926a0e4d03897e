"""Backfill: what a replay decided and the live run did not, as requests of a person to the live workers.

A replay can't act, and nothing of it is copied into live topics or Redis. What somebody has looked at and confirmed
goes the way of every act by hand: as ``enforcement.overridden`` events into the feedback topic, which the shards apply,
journal and answer with decisions of their own. So state, standings, strikes and appeals stay consistent, a replay of
the live run repeats them, and the feedback topic and the decisions are the record of what was done.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from detectors.actions import HARSHNESS, INSTANT, NO_STRIKE
from features.events import EnforcementOverridden
from features.outputs import Action, EnforcementDecided, EnforcementReversed
from streams.archive import ArchiveRecord
from streams.replay.outputs import RUN_HEADER

#: Actions that only an option of its own allows: these end or freeze a shop's trade.
SEVERE: Final = frozenset({"hold_payout", "suspend_merchant", "close_merchant"})
_EVENTS: Final = "governance-events"

Kind: TypeAlias = Literal["take", "lift"]


class BackfillError(Exception):
    """There can be no backfill; the message says why."""


class Correction(Struct, frozen=True, order=True):
    """One act: take an action that the replay has in force, or lift a decision that it has not.

    ``decision_id`` is the replay's for what is taken, the live one for what is lifted; ``until`` in ms.
    """

    merchant: str
    kind: Kind
    action: Action
    rule: str
    decision_id: str
    until: int | None = None


class Corrections(Struct, frozen=True):
    """What is to be done, and what can't be done by hand, by reason."""

    run: str
    acts: list[Correction]
    left: Counter[str]


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted.

    Attributes
    ----------
    at
        The present (ms): actions that have run out by then are not in force.
    merchants, actions
        These alone; ``None``: all.
    severe
        Whether severe actions may be taken, too.
    lift
        Whether decisions that the replay does not have in force are lifted.
    """

    at: int
    merchants: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    severe: bool = False
    lift: bool = False


def in_force(records: Iterable[ArchiveRecord], at: int) -> dict[str, EnforcementDecided]:
    """Decisions that stand at a time (ms), by id, as events on governance-events tell; those that wait for a person do
    not.
    """
    decided: dict[str, EnforcementDecided] = {}
    for record in records:
        kind = next((value for name, value in record.headers if name == "ce_type"), None)
        if record.topic != _EVENTS or record.value is None:
            continue
        if kind == b"shopwarden.enforcement.decided.v1":
            event = msgspec.json.decode(record.value, type=EnforcementDecided)
            decided[event.decision_id] = event
            if event.supersedes is not None:
                decided.pop(event.supersedes, None)
        elif kind == b"shopwarden.enforcement.reversed.v1":
            decided.pop(msgspec.json.decode(record.value, type=EnforcementReversed).reverses, None)
    return {
        name: event
        for name, event in decided.items()
        if not event.requires_review
        and event.action not in INSTANT
        and event.action not in NO_STRIKE
        and (event.expires_at is None or event.expires_at > at)
    }


def run_of(records: Sequence[ArchiveRecord]) -> str:
    """The run that outputs are of.

    Raises
    ------
    BackfillError
        They are of none, or of more than one.
    """
    runs = {dict(record.headers).get(RUN_HEADER) for record in records}
    if len(runs) != 1:
        raise BackfillError("the outputs are of more than one run" if runs else "there are no outputs")
    run = runs.pop()
    if run is None:
        raise BackfillError("these are no outputs of a replay: they name no run")
    return run.decode()


def corrections(
    replayed: Sequence[ArchiveRecord], live: Iterable[ArchiveRecord], policy_of: Mapping[str, str], wish: Wish
) -> Corrections:
    """What has to be done by hand for the live run to stand where the replay does.

    Parameters
    ----------
    replayed, live
        Outputs of the replay and of the live run.
    policy_of
        Rule -> its policy, by which a person acts.
    wish
        What is wanted.

    Raises
    ------
    BackfillError
        ``replayed`` is no replay.
    """
    run = run_of(replayed)
    wanted, standing = in_force(replayed, wish.at), in_force(live, wish.at)
    left: Counter[str] = Counter()
    acts: list[Correction] = []
    has = {(event.merchant_id, event.subject.id, event.action) for event in standing.values()}
    for event in wanted.values():
        if not _meant(event, wish) or (event.merchant_id, event.subject.id, event.action) in has:
            continue
        reason = _obstacle(event, policy_of, wish)
        if reason is not None:
            left[reason] += 1
            continue
        acts.append(
            Correction(event.merchant_id, "take", event.action, event.policy.id, event.decision_id, event.expires_at)
        )
    if wish.lift:
        has = {(event.merchant_id, event.subject.id, event.action) for event in wanted.values()}
        acts += [
            Correction(event.merchant_id, "lift", event.action, event.policy.id, event.decision_id)
            for event in standing.values()
            if _meant(event, wish) and (event.merchant_id, event.subject.id, event.action) not in has
        ]
    # Of several rules that ask for one action, one is enough: the one that holds longest.
    unique: dict[tuple[str, str, str], Correction] = {}
    for act in sorted(acts):
        key = act.merchant, act.kind, act.action if act.kind == "take" else act.decision_id
        known = unique.get(key)
        if known is None or (known.until is not None and (act.until is None or act.until > known.until)):
            unique[key] = act
    ordered = sorted(unique.values(), key=lambda act: (act.merchant, act.kind, HARSHNESS[act.action], act.decision_id))
    return Corrections(run, ordered, left)


def _meant(event: EnforcementDecided, wish: Wish) -> bool:
    merchants, actions = wish.merchants, wish.actions
    return (merchants is None or event.merchant_id in merchants) and (actions is None or event.action in actions)


def _obstacle(event: EnforcementDecided, policy_of: Mapping[str, str], wish: Wish) -> str | None:
    """Why an action can't be taken by hand."""
    if event.subject.kind != "merchant":
        return f"against a {event.subject.kind}: only actions against merchants can be taken by hand"
    if event.policy.id not in policy_of:
        return f"rule {event.policy.id} is not in the policies any more"
    if event.action in SEVERE and not wish.severe:
        return f"{event.action} is severe: only with --severe"
    return None


def records_of(plan: Corrections, policy_of: Mapping[str, str], by: str, at: int) -> list[ArchiveRecord]:
    """The events that ask for it, for the feedback topic. Their ids follow from the run and the decision, so those of
    a repeat are known as repeats.
    """
    found = []
    for act in plan.acts:
        event = EnforcementOverridden(
            event_id=f"backfill-{plan.run}-{act.decision_id}"[-128:],
            occurred_at=at,
            merchant_id=act.merchant,
            action=act.action,
            by=by,
            why=(
                f"backfill of replay {plan.run}: "
                + (
                    f"its decision {act.decision_id} by rule {act.rule}"
                    if act.kind == "take"
                    else f"it has no {act.action} in force; rule {act.rule} had asked for it"
                )
            ),
            decision_id=act.decision_id if act.kind == "lift" else None,
            until=act.until,
            policy=policy_of[act.rule] if act.kind == "take" else None,
        )
        found.append(ArchiveRecord("feedback", act.merchant.encode(), msgspec.json.encode(event), at))
    return found

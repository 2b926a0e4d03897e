"""Creators: what their shards are told of their orders, and what follows from it."""

from typing import Any

import msgspec
import pytest

from detectors.finding import Finding
from detectors.promotions import TELL_DRIVEN
from features.driven import MOST_WAITING
from features.outputs import (
    CreatorStanding,
    CreditChanged,
    EnforcementDecided,
    EnforcementReversed,
    Reason,
    RiskAssessed,
    Source,
    Subject,
)
from features.promoters import PROMOTERS_LIMIT
from tests.builders import (
    DAY,
    HOUR,
    START,
    Event,
    Shard,
    event,
    listed,
    make_judge,
    of_order,
    outputs,
    placed,
    shipped,
    stored,
)
from tests.detectors.markets import Marketplace

CREATOR = "nova"


def driven(order: str, at: int, merchant: str, creator: str = CREATOR, **fields: Any) -> Event:
    """An order that a creator drove."""
    return placed(order, at, merchant, creator_id=creator, **fields)


def about(kind: str, at: int, creator: str = CREATOR, **fields: Any) -> Event:
    """Feedback about a creator, keyed by it."""
    return event(kind, at, creator, creator_id=creator, **fields)


def harm(market: Marketplace, merchants: list[str], orders: int, harmed: int, start: int = 0) -> None:
    """Each merchant sells orders through the creator on one day, some of which never arrive."""
    for merchant in merchants:
        for number in range(orders):
            name = f"{merchant}-{start // DAY}-{number}"
            at = start + number * HOUR // 2
            market.apply(driven(name, at, merchant, buyer_id=f"buyer {name}"))
            market.apply(shipped(name, at + HOUR, merchant))
            if number < harmed:
                market.apply(of_order("return_requested", name, at + 7 * DAY, merchant, reason="not_received"))
            else:
                market.apply(of_order("delivered", name, at + 3 * DAY, merchant))


@pytest.mark.parametrize("shards", [1, 4])
def test_a_creators_shard_learns_of_its_orders(shards: int) -> None:
    """Orders and turnover, what was bad with them, and at how many merchants, however many shards there are."""
    market = Marketplace(shards)
    merchants = ["a-0", "b-0"] if shards == 1 else ["a-0", "b-3"]
    harm(market, merchants, 4, 1)
    market.move_on(29 * DAY)
    assert market.creator_feature("creator_orders_30d", CREATOR) == 8
    assert market.creator_feature("creator_gmv_30d", CREATOR) == 8000
    assert market.creator_feature("creator_harmed_orders_30d", CREATOR) == 2
    assert market.creator_feature("creator_harmed_buyers_90d", CREATOR) == 2
    assert market.creator_feature("creator_merchants_90d", CREATOR) == 2


def test_orders_without_a_creator_are_told_to_nobody() -> None:
    """Nothing waits and nothing is sent."""
    market = Marketplace(1)
    market.apply(placed("o1", 0, "a-0"), shipped("o1", DAY, "a-0"))
    state = market.shards[0].state
    assert not state.driven.counts
    assert not state.creators
    assert not state.driven.tell_at


def test_orders_are_told_four_times_a_day() -> None:
    """What is counted waits for the quarter of the day to be over, so that many orders are one message."""
    shard = Shard(make_judge())
    shard.apply(*(driven(f"o{n}", n * 60_000, "m1", buyer_id=f"b{n}") for n in range(20)))
    assert not shard.mail
    assert shard.state.driven.waiting == 20
    assert shard.state.timers.changed[TELL_DRIVEN] == shard.state.driven.tell_at
    shard.apply(tick=7 * HOUR)
    assert len(shard.mail) == 1
    assert not shard.state.driven.counts
    assert not shard.state.driven.tell_at
    shard.deliver()
    assert shard.state.creators[CREATOR].placed.sum(0, 0) == 20


def test_many_creators_do_not_wait() -> None:
    """What waits is bounded, as it is stored with each checkpoint."""
    shard = Shard(make_judge())
    shard.apply(*(driven(f"o{n}", n, "m1", creator=f"c{n}") for n in range(MOST_WAITING)))
    assert not shard.state.driven.counts
    assert len(shard.mail) == 1


@pytest.mark.parametrize("again", [False, True])
def test_messages_count_once(again: bool) -> None:
    """A message that comes again changes nothing."""
    market = Marketplace(1)
    market.shards[0].apply(driven("o1", 0, "a-0"))
    market.shards[0].apply(tick=7 * HOUR)
    market.deliver(again=again)
    assert market.creator_feature("creator_orders_7d", CREATOR) == 1


def test_one_shard_and_four_agree() -> None:
    """The same events, told through one shard or four, leave the same counts of the creator."""
    records = []
    for shards in (1, 4):
        market = Marketplace(shards)
        # One shard takes all digits.
        market.shards = market.shards if shards == 4 else market.shards * 4
        merchants = [f"{name}-{number % 4}" for number, name in enumerate("abcdef")]
        harm(market, merchants, 6, 2)
        market.move_on(40 * DAY)
        shard = market.shards[0] if shards == 1 else None
        creator = market.creator(CREATOR) if shard is None else shard.state.creators[CREATOR]
        creator.advance(START + 40 * DAY)
        packed = creator.packed()
        shops = {name: (shop.orders, shop.harmed, shop.day) for name, shop in packed.shops.items()}
        records.append(
            (packed.placed, packed.outcome, dict(sorted(shops.items())), sorted(packed.harmed), packed.buyers)
        )
    assert records[0] == records[1]


def test_harm_at_several_merchants_is_enforced() -> None:
    """Most of the orders never arrive, at three merchants: a decision against the creator, keyed and numbered by it."""
    market = Marketplace(4)
    harm(market, ["a-0", "b-1", "c-2"], 14, 9)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    decided = [each for each in market.outputs(EnforcementDecided) if each.creator_id == CREATOR]
    first = next(each for each in decided if each.action == "freeze_commission")
    assert (first.merchant_id, first.subject.kind, first.subject.id) == ("", "creator", CREATOR)
    assert first.policy.id == "creator-harm-severe"
    assert first.statement_of_reasons["decision_monetary"] == "DECISION_MONETARY_SUSPENSION"
    assessed = [each for each in market.outputs(RiskAssessed) if each.creator_id == CREATOR]
    sequences = sorted([*(each.sequence for each in assessed), *(each.sequence for each in decided)])
    assert sequences == list(range(1, len(sequences) + 1))
    assert assessed[0].features["creator_harming_merchants_90d"] == 3
    market.move_on(28 * DAY + 15 * DAY)
    (reversed_,) = [each for each in market.outputs(EnforcementReversed) if each.creator_id == CREATOR][:1]
    assert (reversed_.why, reversed_.reverses) == ("expiry", first.decision_id)


def test_one_bad_merchant_is_not_the_creators_doing() -> None:
    """All orders of one merchant never arrive, those of others do: nothing follows for who promoted it."""
    market = Marketplace(4)
    harm(market, ["a-0"], 20, 20)
    harm(market, ["b-1", "c-2"], 10, 0)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "b-1"))
    market.move_on(28 * DAY)
    assert market.creator_feature("creator_harming_merchants_90d", CREATOR) == 1
    assert not [each for each in market.outputs(EnforcementDecided) if each.creator_id == CREATOR]


def test_promoters_answer_for_listings() -> None:
    """A listing is removed while a creator sells it: its promoters are told, and no others."""
    market = Marketplace(4)
    market.apply(listed("l1", 0, "a-0"), driven("o1", HOUR, "a-0"), driven("o2", HOUR, "a-0", "other"))
    market.apply(driven("o3", HOUR, "b-1", "third", items=[{"listing_id": "x", "quantity": 1, "unit_price": 9}]))
    market.apply(listed("l1", 2 * DAY, "a-0", kind="updated", title="Replica Rolex 1:1 superclone", brand="Rolex"))
    policies = {each.policy.id for each in market.outputs(EnforcementDecided)}
    assert policies
    for creator in (CREATOR, "other"):
        assert market.creator_feature("creator_violations_90d", creator) == 1
    market.move_on(3 * DAY)
    assert market.creator_feature("creator_violations_90d", "third") == 0
    assert market.shards[0].listing("l1", "a-0").blamed


def test_a_wrong_decision_is_taken_back() -> None:
    """What promoters were told of a decision leaves them with it."""
    market = Marketplace(4)
    market.apply(listed("l1", 0, "a-0"), driven("o1", HOUR, "a-0"))
    market.apply(listed("l1", 2 * DAY, "a-0", kind="updated", title="Replica Rolex 1:1 superclone", brand="Rolex"))
    shard = market.shards[0]
    ((decision, _),) = shard.listing("l1", "a-0").blamed.items()
    promotions = shard.core._assessor.promotions
    outbox = shard.core._outbox
    outbox.emits = []
    outbox.start(Source("feedback", 0, 0), START + 3 * DAY)
    promotions.absolve(shard.merchant("a-0"), "l1", decision)
    shard.core._post.send()
    shard.mail += outbox.emits
    market.deliver()
    assert market.creator_feature("creator_violations_90d", CREATOR) == 0


def test_feedback_about_a_creator_is_its_own() -> None:
    """It is applied to the creator, never to a merchant of that name, and once."""
    market = Marketplace(4)
    market.apply(*[about("report.received", HOUR, subject={"kind": "creator", "id": CREATOR}, by="brand")] * 2)
    assert market.creator(CREATOR).record.reports == 1
    assert not any(CREATOR in shard.state.merchants for shard in market.shards)


def test_feedback_with_another_key_is_put_aside() -> None:
    """Feedback about a creator that is keyed by a merchant would reach the wrong shard."""
    shard = Shard(make_judge())
    emits = shard.apply(
        event("report.received", 0, "m1", creator_id=CREATOR, subject={"kind": "creator", "id": CREATOR}, by="brand")
    )
    assert [each.stream for each in emits] == ["dead_letters"]
    assert dict(emits[0].headers)["dlq_reason"] == b"wrong_key"


def test_an_override_ends_an_action_against_a_creator() -> None:
    """A person sets the freeze aside; the creator's standing shows it."""
    market = Marketplace(1)
    harm(market, ["a-0", "b-0", "c-0"], 14, 9)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    frozen = [each for each in market.outputs(EnforcementDecided) if each.action == "freeze_commission"]
    first = frozen[0]
    market.apply(
        about("enforcement.overridden", 29 * DAY, decision_id=first.decision_id, action="lift", by="ops", why="mistake")
    )
    (reversed_,) = [each for each in market.outputs(EnforcementReversed) if each.creator_id == CREATOR]
    assert reversed_.why == "override"


def test_idle_creators_leave() -> None:
    """Without any output a creator is forgotten; with one, a stub stays, as numbers must not begin anew."""
    market = Marketplace(1)
    state = market.shards[0].state
    harm(market, ["a-0", "b-0", "c-0"], 14, 9)
    market.apply(driven("quiet", 2 * HOUR, "a-0", "quiet"))
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    sequence = market.creator(CREATOR).record.sequence
    assert sequence
    for day in range(60, 1200, 30):
        market.move_on(day * DAY)
    assert set(state.creators) == {CREATOR}
    record = market.creator(CREATOR).record
    assert record.sequence >= sequence
    assert not (record.shops or record.placed or record.level)
    assert not record.timer or record.enforcement is not None


def test_a_shard_that_is_stored_and_read_is_the_same() -> None:
    """What is kept of creators, and what is not told yet, is part of the state."""
    market = Marketplace(1)
    harm(market, ["a-0"], 3, 1)
    parts = stored(market.shards[0].core)
    assert f"c:{CREATOR}" in parts
    assert "shard:driven" in parts


#: Ladder -> a rule that takes it, and what follows each time that it fires with new facts, two months apart.
LADDERS = {
    "creator_quality": (
        "creator-harm",
        ["warn", "freeze_commission 7 d", "freeze_commission 14 d", "freeze_commission 28 d", "freeze_commission 28 d"],
    ),
    "creator_fraud": (
        "creator-harm-severe",
        ["freeze_commission 14 d", "freeze_commission 28 d", "suspend_creator, to be reviewed"],
    ),
    "creator_review": ("joint-merchant", ["require_review 14 d", "require_review 14 d"]),
    "joint_freeze": ("joint-merchants", ["freeze_commission 28 d", "freeze_commission 28 d"]),
}


@pytest.mark.parametrize("ladder", LADDERS)
def test_ladders_are_climbed_with_new_facts(ladder: str) -> None:
    """Step by step, as the policy says; never without facts that are new."""
    rule_id, steps = LADDERS[ladder]
    shard = Shard(make_judge(audit_rate=0.0))
    rule = shard.judge.policies.rules[rule_id]
    assert rule.action == ladder
    enforcer = shard.core._assessor.enforcer
    outbox = shard.core._outbox
    creator = shard.state.creator(CREATOR)
    for number, step in enumerate(steps):
        for again in (False, True):
            at = START + (number * 60 + again) * DAY
            outbox.emits = []
            outbox.start(Source("story", 0, 2 * number + again), at)
            enforcer.expire(creator, at)
            creator.advance(at)
            finding = Finding(fired=[rule], reasons=[Reason(rule.id, rule.title, rule.weight)])
            enforcer.enforce(creator, Subject("creator", CREATOR), finding, "assessment")
            decided = [each for each in outputs(outbox.emits) if isinstance(each, EnforcementDecided)]
            assert [_in_words(each) for each in decided] == ([] if again else [step])
        for kind in ("creator_harmed_orders", "creator_counterfeits", "creator_violations"):
            creator.note_facts(kind, 20)
        shop = creator.shop(f"shop {number}", 0)
        shop.orders, shop.share, shop.flagged, shop.flagged_at = 20, 0.9, True, creator.record.as_of


def _in_words(decision: EnforcementDecided) -> str:
    days = "" if decision.expires_at is None else f" {(decision.expires_at - decision.starts_at) // DAY} d"
    return f"{decision.action}{days}{', to be reviewed' if decision.requires_review else ''}"


def test_creators_have_credit() -> None:
    """Clean orders give a score of 200 and a little more; a decision costs points, which its standing shows."""
    market = Marketplace(1, audit_rate=0.0)
    harm(market, ["a-0", "b-0", "c-0"], 14, 9)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(35 * DAY)
    changes = [each for each in market.outputs(CreditChanged) if each.creator_id == CREATOR]
    assert changes
    lost = [entry for each in changes for entry in each.entries if entry.points < 0]
    assert {entry.code for entry in lost} >= {"harmful_promotion"}
    last = changes[-1]
    assert (last.merchant_id, last.subject.kind) == ("", "creator")
    assert last.score is not None
    assert last.score < 200
    assert last.probability > 0.3
    standings = [each for each in market.shards[0].emits if each.stream == "creator_standing"]
    standing = msgspec.json.decode(standings[-1].value or b"", type=CreatorStanding)
    assert standing.credit is not None
    assert standing.credit.score == last.score
    assert standings[-1].key == CREATOR.encode()


def test_an_overturned_appeal_undoes_a_decision_about_a_creator() -> None:
    """The freeze ends, its points come back, and the rule does not find the same again."""
    market = Marketplace(1, audit_rate=0.0)
    harm(market, ["a-0", "b-0", "c-0"], 14, 9)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    frozen = [each for each in market.outputs(EnforcementDecided) if each.action == "freeze_commission"]
    decision = frozen[0].decision_id
    market.apply(
        about("appeal.filed", 29 * DAY, decision_id=decision),
        about("appeal.decided", 30 * DAY, decision_id=decision, outcome="overturned"),
    )
    (reversal,) = [each for each in market.outputs(EnforcementReversed) if each.reverses == decision]
    assert (reversal.why, reversal.creator_id, reversal.merchant_id) == ("appeal", CREATOR, "")
    market.move_on(40 * DAY)
    again = [each for each in market.outputs(EnforcementDecided) if each.policy.id == frozen[0].policy.id]
    assert len(again) == 1


def test_a_malicious_shop_and_who_lives_off_it() -> None:
    """A shop comes under enforcement for malice while a creator drives all of its sales: the creator is reviewed, and
    when the shop's action ends, nothing more.
    """
    market = Marketplace(4, audit_rate=0.0)
    for number in range(12):
        market.apply(driven(f"o{number}", number * HOUR, "bad-1", buyer_id=f"b{number}"))
    market.move_on(20 * HOUR)
    shard = market.shards[1]
    merchant = shard.merchant("bad-1")
    enforcer = shard.core._assessor.enforcer
    rule = shard.judge.policies.rules["bust-out"]
    outbox = shard.core._outbox
    outbox.emits = []
    outbox.start(Source("story", 1, 0), START + DAY)
    merchant.advance(START + DAY)
    finding = Finding(fired=[rule], reasons=[Reason(rule.id, rule.title, rule.weight)])
    assert enforcer.enforce(merchant, Subject("merchant", "bad-1"), finding, "assessment")
    enforcer.stand(merchant)
    shard.core._post.send()
    shard.mail += [each for each in outbox.emits if each.stream == "exchange"]
    market.deliver()
    assert merchant.record.shop_told == 1
    assert market.creator_feature("creator_joint_merchants", CREATOR) == 1
    decided = [each for each in market.outputs(EnforcementDecided) if each.creator_id == CREATOR]
    assert [(each.policy.id, each.action) for each in decided] == [("joint-merchant", "require_review")]
    market.move_on(10 * DAY)
    assert merchant.record.shop_told == 0
    assert market.creator_feature("creator_joint_merchants", CREATOR) == 0
    assert len([each for each in market.outputs(EnforcementDecided) if each.creator_id == CREATOR]) == 1


def test_commission_on_a_suspended_shops_sales_is_kept_back() -> None:
    """Of that shop alone, without a lost point, and until the suspension ends."""
    market = Marketplace(1, audit_rate=0.0)
    for number in range(8):
        market.apply(driven(f"o{number}", number * HOUR, "bad-0", buyer_id=f"b{number}"))
        market.apply(driven(f"p{number}", number * HOUR, "good-0", buyer_id=f"b{number}"))
    suspend = {"action": "suspend_merchant", "by": "ops", "why": "fraud", "policy": "bust_out"}
    market.apply(event("enforcement.overridden", DAY, "bad-0", until=START + 20 * DAY, **suspend))
    assert market.shards[0].merchant("bad-0").record.shop_told == 3
    (kept,) = [each for each in market.outputs(EnforcementDecided) if each.creator_id == CREATOR]
    assert (kept.policy.id, kept.action) == ("joint-suspended-merchant", "freeze_commission")
    assert kept.limited_to == [Subject("merchant", "bad-0")]
    assert not [each for each in market.outputs(CreditChanged) if each.creator_id == CREATOR and each.entries]
    market.move_on(21 * DAY)
    (ended,) = [each for each in market.outputs(EnforcementReversed) if each.reverses == kept.decision_id]
    assert ended.why == "expiry"


def test_merchants_hear_of_a_creator_under_enforcement() -> None:
    """Whoever owes its turnover to a creator whose commission is frozen for malice knows, and knows when it ends."""
    market = Marketplace(4, audit_rate=0.0)
    harm(market, ["a-0", "b-1", "c-2"], 40, 26)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    assert market.creator(CREATOR).record.flagged
    assert market.feature("flagged_creator_share", "b-1") == pytest.approx(1.0)
    market.apply(driven("new", 28 * DAY + HOUR, "d-3"))
    market.move_on(28 * DAY + 12 * HOUR)
    assert market.feature("flagged_creator_share", "d-3") == pytest.approx(1.0)
    market.move_on(60 * DAY)
    assert not market.creator(CREATOR).record.flagged
    assert market.feature("flagged_creator_share", "b-1") == 0


def test_a_merchant_that_was_forgotten_hears_that_it_is_over() -> None:
    """When the creator drives an order to it again: its shard knew it no more when the enforcement ended."""
    market = Marketplace(4, audit_rate=0.0)
    harm(market, ["a-0", "b-1", "c-2"], 40, 26)
    market.move_on(26 * DAY)
    market.apply(driven("last", 27 * DAY, "a-0"))
    market.move_on(28 * DAY)
    assert market.feature("flagged_creator_share", "b-1") == pytest.approx(1.0)
    del market.creator(CREATOR).record.shops["b-1"]
    market.move_on(60 * DAY)
    assert market.feature("flagged_creator_share", "b-1") == pytest.approx(1.0)
    market.apply(driven("again", 60 * DAY + HOUR, "b-1"))
    market.move_on(61 * DAY)
    assert market.feature("flagged_creator_share", "b-1") == 0


def test_who_left_a_merchants_places_hears_that_its_suspension_is_over() -> None:
    """A creator that was told and gave way to busier ones is told of the end like all others."""
    market = Marketplace(1, audit_rate=0.0)
    for number in range(6):
        market.apply(driven(f"o{number}", number * HOUR, "bad-0", buyer_id=f"b{number}"))
    suspend = {"action": "suspend_merchant", "by": "ops", "why": "fraud", "policy": "bust_out"}
    market.apply(event("enforcement.overridden", DAY, "bad-0", until=START + 20 * DAY, **suspend))
    assert market.creator(CREATOR).record.shops["bad-0"].suspended
    for number in range(PROMOTERS_LIMIT):
        busier = f"busier {number}"
        market.apply(driven(f"p{number}", DAY + HOUR, "bad-0", creator=busier, total=90_000, buyer_id=f"p{number}"))
    market.move_on(2 * DAY)
    record = market.shards[0].merchant("bad-0").record
    assert CREATOR not in {each.creator for each in record.promoters}
    assert record.promoters_left == [CREATOR]
    assert market.creator(CREATOR).record.shops["bad-0"].suspended
    market.move_on(21 * DAY)
    assert not market.creator(CREATOR).record.shops["bad-0"].suspended
    assert record.promoters_left == []

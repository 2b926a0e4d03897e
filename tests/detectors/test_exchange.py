"""What merchants of one or several shards have in common, and what follows from it."""

import msgspec
import pytest

from detectors.exchange import MANY_CLAIMS
from detectors.finding import Finding
from detectors.flush import Emit, Flush
from detectors.judge import Judge
from features.buckets import ACCOUNT_HUB, LISTING_HUB
from features.exchange import Figures, Message, Met, Origin, Seen, owner_of
from features.links import ACCOUNT_BITS
from features.order import CLAIMS_EVERYWHERE
from features.outputs import EnforcementDecided, Reason, Source, Subject
from features.shard import Record
from tests.builders import DAY, HOUR, START, Event, Shard, event, listed, make_judge, of_order, placed, shipped, stored
from tests.detectors.markets import Marketplace

IMAGE = "00ff00ff00ff00ff"
TITLE = "Aurora wireless earphones model QX200 black"


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies."""
    return make_judge()


def changed(merchant: str, what: str = "bank", value: str = "hash 1", at: int = 0) -> Event:
    """A merchant has a new value of its account."""
    return event("merchant.account_changed", at, merchant, what=what, value_hash=value)


def messages(emits: list[Emit]) -> list[Message]:
    """The messages among what was emitted."""
    return [msgspec.json.decode(emit.value or b"", type=Message) for emit in emits if emit.stream == "exchange"]


@pytest.mark.parametrize("shards", [1, 3])
def test_merchants_with_one_bank_account_are_linked(shards: int) -> None:
    """Both know of each other, whichever shards they and the account belong to; another account links nobody."""
    market = Marketplace(shards)
    first, second = ("a-0", "b-0") if shards == 1 else ("a-0", "b-2")
    market.apply(changed(first), changed(second, at=HOUR), changed("c-0", value="hash 2"))
    for merchant in (first, second):
        assert market.feature("linked_merchants", merchant) == 1
        assert market.feature("linked_values", merchant) == 1
    assert market.feature("linked_merchants", "c-0") == 0


def test_kinds_of_values_do_not_mix() -> None:
    """The same hash as a phone and as a bank account is no link; two kinds in common with one merchant count two."""
    market = Marketplace(1)
    market.apply(changed("a-0"), changed("b-0", "phone"))
    assert market.feature("linked_merchants", "a-0") == 0
    market.apply(changed("b-0"), changed("a-0", "device", "d"), changed("b-0", "device", "d"))
    assert market.feature("linked_merchants", "a-0") == 1
    assert market.feature("linked_values", "b-0") == 2


def test_values_never_travel_as_themselves(judge: Judge) -> None:
    """An account value leaves its shard as a keyed pseudonym alone."""
    shard = Shard(judge)
    shard.apply(changed("a", value="DE89370400440532013000"))
    (mail,) = shard.mail
    assert b"DE89370400440532013000" not in (mail.value or b"")
    (seen,) = messages([mail])[0].items
    assert isinstance(seen, Seen)
    assert seen.buckets[0].startswith("bank/")


def test_a_value_that_many_use_links_nobody() -> None:
    """An agency's bank account: from the ninth merchant on it says nothing, about none of them."""
    market = Marketplace(2)
    names = [f"m{number}-{number % 2}" for number in range(ACCOUNT_HUB)]
    market.apply(*(changed(name) for name in names))
    assert market.feature("linked_merchants", names[0]) == ACCOUNT_HUB - 1
    market.apply(changed("late-1"))
    for name in (*names, "late-1"):
        assert market.feature("linked_merchants", name) == 0


def test_who_is_linked_to_an_enforced_merchant_is_told() -> None:
    """When a merchant comes under enforcement for malice, those linked to it know, and those that join later."""
    market = Marketplace(2)
    market.apply(changed("bad-0"), changed("before-1"))
    record = market.shards[0].merchant("bad-0").record
    _enforce(market, "bad-0")
    assert record.flagged
    assert market.feature("linked_to_enforced", "before-1") == 1
    market.apply(changed("after-1", at=DAY))
    assert market.feature("linked_to_enforced", "after-1") == 1
    assert market.feature("linked_to_enforced", "bad-0") == 0


def test_what_waits_for_a_person_is_told_to_nobody() -> None:
    """Links hear of malice when a person has confirmed it, and when that ends; of a mere suspicion never."""
    market = Marketplace(2, audit_rate=0.0)
    market.apply(changed("bad-0"), changed("other-1"))
    for number in range(30):
        market.apply(placed(f"x{number}", number * HOUR, "bad-0"))
    shard = market.shards[0]
    merchant = shard.merchant("bad-0")
    record = merchant.record
    rule = shard.judge.policies.rules["bust-out-prepared"]
    finding = Finding(fired=[rule], reasons=[Reason(rule.id, rule.title, rule.weight)])
    enforcer = shard.core._assessor.enforcer
    shard.core._outbox.start(Source("story", 0, 0), START + 2 * DAY)
    merchant.advance(START + 2 * DAY)
    assert enforcer.enforce(merchant, Subject("merchant", "bad-0"), finding, "assessment")
    enforcer.stand(merchant)
    assert record.enforcement is not None
    (waiting,) = record.enforcement.active
    assert waiting.requires_review
    told = [record.flagged]
    verdict = {"verdict": "violation", "source": "human", "decision_id": waiting.decision_id}
    market.apply(event("review.decided", 3 * DAY, "bad-0", **verdict))
    told.append(record.flagged)
    assert market.feature("linked_to_enforced", "other-1") == 1
    market.move_on(12 * DAY)
    told.append(record.flagged)
    assert told == [False, True, False]
    assert market.feature("linked_to_enforced", "other-1") == 0


def test_copied_listings_are_told_from_copies() -> None:
    """Who had title and image first is copied from; the other one copies."""
    market = Marketplace(3)
    market.apply(
        listed("l1", 0, "first-0", title=TITLE, image_hashes=[IMAGE]),
        listed("l9", HOUR, "second-1", title=TITLE + "!", image_hashes=["00ff00ff00ff00fe"]),
    )
    assert market.feature("copied_listing_merchants", "second-1", listing="l9") == 1
    assert market.feature("copied_listing_merchants", "first-0", listing="l1") == 0
    assert market.feature("catalogue_copied", "second-1") == 1
    assert market.feature("catalogue_copied", "first-0") == 0
    assert market.feature("catalogue_shared", "first-0") == 1


def test_an_image_that_many_use_is_the_makers() -> None:
    """Resellers of one product: beyond some of them an image no longer says who copied whom."""
    market = Marketplace(1)
    for number in range(LISTING_HUB + 2):
        title = f"Offer number {number} of quite another kind {number * 7}"
        market.apply(listed("l1", number * HOUR, f"m{number}-0", title=title, image_hashes=[IMAGE]))
    assert market.feature("copied_image_merchants", f"m{LISTING_HUB}-0", listing="l1") == LISTING_HUB
    assert market.feature("copied_image_merchants", f"m{LISTING_HUB + 1}-0", listing="l1") == 0


def test_own_duplicates_count_from_the_second() -> None:
    """The same product three times in one shop: the later ones repeat the earlier; other merchants have none to do with
    it.
    """
    market = Marketplace(1)
    market.apply(*(listed(f"l{n}", n * HOUR, "shop-0", title=TITLE, image_hashes=[IMAGE]) for n in range(3)))
    assert [market.feature("own_duplicates", "shop-0", listing=f"l{n}") for n in range(3)] == [0, 1, 2]
    assert market.feature("catalogue_shared", "shop-0") == 0


def test_variants_are_no_duplicates() -> None:
    """Sizes and colours of one article share their image, and are other goods by their titles."""
    market = Marketplace(1)
    for number, variant in enumerate(("black", "red", "olive, size M", "olive, size L", "olive, size M")):
        title = f"Aurora soft summer dress Lark 9 {variant}"
        market.apply(listed(f"l{number}", number * HOUR, "shop-0", title=title, image_hashes=[IMAGE]))
    assert [market.feature("own_duplicates", "shop-0", listing=f"l{n}") for n in range(5)] == [0, 0, 0, 0, 1]


def test_a_shop_that_copies_another_one_is_reviewed_from_the_fourth_listing() -> None:
    """Title and image of each were another shop's before; a maker's goods that both sell are a few at most."""
    market = Marketplace(2)
    for number in range(6):
        title, image = f"Aurora leather bag QX{number}00 with golden chain", [f"{number * 0x1F2E3D4C5B6A7989:016x}"]
        market.apply(listed(f"l{number}", number * HOUR, "shop-0", title=title, image_hashes=image))
        market.apply(listed(f"c{number}", DAY + number * HOUR, "copier-1", title=title, image_hashes=image))
    assert market.feature("catalogue_copied", "copier-1") == 6
    assert market.feature("catalogue_copied", "shop-0") == 0
    reviewed = [
        (one.merchant_id, one.subject.id)
        for shard in market.shards
        for one in shard.outputs(EnforcementDecided)
        if one.policy.id == "copied-listing"
    ]
    assert reviewed == [("copier-1", f"c{number}") for number in range(3, 6)]


def test_an_edit_of_the_price_tells_nobody(judge: Judge) -> None:
    """Only what looks different is looked up again."""
    shard = Shard(judge)
    shard.apply(listed("l1", 0, title=TITLE, image_hashes=[IMAGE]))
    assert shard.mail
    shard.mail = []
    shard.apply(listed("l1", HOUR, kind="updated", title=TITLE, image_hashes=[IMAGE], price=900))
    assert not shard.mail
    shard.apply(listed("l1", 2 * HOUR, kind="updated", title="Quite another thing", image_hashes=[IMAGE]))
    assert shard.mail


def test_a_buyer_who_claims_everywhere_is_known() -> None:
    """From the third claim on, of two merchants at least, each order with a claim says how many there were."""
    market = Marketplace(3)
    for number in range(MANY_CLAIMS):
        merchant, order = f"shop-{number}", f"o{number}"
        at = number * DAY
        market.apply(
            placed(order, at, merchant, buyer_id="the same"),
            shipped(order, at + HOUR, merchant),
            of_order("return_requested", order, at + 2 * HOUR, merchant, reason="not_received"),
        )
        expected = MANY_CLAIMS if number == MANY_CLAIMS - 1 else 0
        assert market.feature("buyer_claims_180d", merchant, order=order) == expected
    assert market.feature("buyer_claims_180d", "shop-0", order="o0") == MANY_CLAIMS
    assert market.feature("buyer_claim_merchants_180d", "shop-1", order="o1") == MANY_CLAIMS


def test_earlier_claims_are_looked_at_again_when_the_buyer_is_known() -> None:
    """A claim made before anything was known of its buyer is asked about as soon as the other shards tell."""
    market = Marketplace(3)
    for number in range(CLAIMS_EVERYWHERE):
        merchant, order, at = f"shop-{number % 3}", f"o{number}", number * DAY
        market.apply(
            placed(order, at, merchant, buyer_id="the same"),
            shipped(order, at + HOUR, merchant),
            of_order("return_requested", order, at + 2 * HOUR, merchant, reason="not_received"),
        )
    assert market.feature("claim_excused", "shop-0", order="o0") == 1
    asked = [one for one in market.shards[0].outputs(EnforcementDecided) if one.policy.id == "refund-abuse"]
    assert "o0" in [one.subject.id for one in asked]


def test_messages_that_come_again_change_nothing() -> None:
    """A shard that is recovered tells again what it told before; the others know by the record that caused it."""
    once, twice = Marketplace(3), Marketplace(3)
    steps = [
        changed("a-0"),
        changed("b-1", at=HOUR),
        listed("l1", 2 * HOUR, "a-0", title=TITLE, image_hashes=[IMAGE]),
        listed("l2", 3 * HOUR, "b-1", title=TITLE, image_hashes=[IMAGE]),
        placed("o1", DAY, "a-0"),
        placed("o2", 3 * DAY, "b-1"),
    ]
    for step in steps:
        once.apply(step)
        twice.shards[int(step["merchant_id"][-1])].apply(step)
        twice.deliver(again=True)
    for one, other in zip(once.shards, twice.shards, strict=True):
        statistics = other.state.statistics
        statistics.duplicates = 0
        # Offsets differ by the repeats.
        assert stored(one.core) | {"shard:correspondence": b""} == stored(other.core) | {"shard:correspondence": b""}


def test_a_message_of_an_earlier_record_is_a_repeat(judge: Judge) -> None:
    """Offsets of a topic only rise, unless it was made anew."""
    shard = Shard(judge)
    state = shard.state.correspondence
    assert state.take(Origin(1, "orders", 0, 10))
    assert not state.take(Origin(1, "orders", 0, 10))
    assert not state.take(Origin(1, "orders", 0, 9))
    assert state.take(Origin(1, "listings", 0, 9))
    assert state.take(Origin(2, "orders", 0, 9))
    assert state.take(Origin(1, "orders", 1, 0))


def test_shards_share_what_routes_are_like() -> None:
    """Late deliveries of one shard's merchants show in the rates that another shard judges by, within about an hour."""
    market = Marketplace(2)
    for number in range(40):
        order, at = f"o{number}", number * HOUR
        market.apply(
            placed(order, at, "busy-0", ship_to="north", deliver_by=START + at + DAY),
            shipped(order, at + HOUR, "busy-0"),
            of_order("delivered", order, at + 3 * DAY, "busy-0"),
        )
    market.apply(placed("last", 10 * DAY, "busy-0"), placed("mine", 10 * DAY, "quiet-1", ship_to="north"))
    shared = market.shards[1].state.population
    own = market.shards[0].state.population
    assert shared.segments["region/north"].orders == pytest.approx(own.segments["region/north"].orders, rel=0.02)
    assert shared.segment_rates("north", "", "")[1] == pytest.approx(own.segment_rates("north", "", "")[1], rel=0.02)
    assert shared.deliveries.under_way == own.deliveries.under_way
    assert shared.deliveries.routes["region/north"].weight > 35


def test_a_single_shard_keeps_no_figures_for_others(judge: Judge) -> None:
    """Where nobody is to be told, nothing is counted twice."""
    shard = Shard(judge)
    shard.apply(placed("o1"), of_order("delivered", "o1", DAY), placed("o2", 3 * DAY))
    assert shard.state.population.tally is None
    assert not any(isinstance(item, Figures) for each in messages(shard.mail) for item in each.items)


def test_buckets_leave_when_nobody_uses_them() -> None:
    """An account value that nobody used for two years is forgotten, and with it its timer."""
    market = Marketplace(1)
    market.apply(placed("o1", 0, "a-0"), changed("a-0"))
    shard = market.shards[0]
    assert len(shard.state.buckets) == 1
    shard.apply(tick=729 * DAY)
    assert len(shard.state.buckets) == 1
    shard.apply(tick=731 * DAY)
    assert not shard.state.buckets
    assert shard.state.removed_buckets


def test_what_is_not_a_message_is_put_aside(judge: Judge) -> None:
    """Bytes of strangers on the internal topic go to the dead letters."""
    shard = Shard(judge)
    emits = shard.flush([Record("exchange", "exchange", 0, 1, START, b"k", b'{"items": 3}')])
    assert [emit.stream for emit in emits] == ["dead_letters"]
    assert shard.state.statistics.rejected == 1


def test_messages_name_all_that_they_read(judge: Judge) -> None:
    """What a message touches is loaded before: buckets, or the merchant with its listing or order."""
    shard = Shard(judge)
    item = Met("title", "m1", "l1", "other", 0, "l2", True)
    message = Message(Origin(0, "orders", 0, 1), START, [item, Seen(["bank/1"], "bank", "m9")])
    record = Record("exchange", "exchange", 0, 1, START, b"k", msgspec.json.encode(message))
    flush = Flush(1, [record])
    needed = shard.core.needed(flush, shard.core.decode(flush))
    assert (needed.merchants, needed.listings, needed.buckets) == ({"m1"}, {"m1:l1"}, {"bank/1"})


def test_owners_are_spread() -> None:
    """Buckets belong to all shards alike."""
    owned = [owner_of(f"bank/{number}", 4) for number in range(4_000)]
    assert all(900 < owned.count(shard) < 1_100 for shard in range(4))


def test_account_bits_are_those_of_accounts() -> None:
    """A shared image is no shared account."""
    assert ACCOUNT_BITS == 0b111111


def _enforce(market: Marketplace, merchant: str) -> None:
    """Have a merchant come under enforcement for malice: it ships everything before it was ordered."""
    for number in range(30):
        at = number * HOUR
        order = f"x{number}"
        market.apply(
            placed(order, at, merchant),
            of_order(
                "tracked", order, at - 3 * HOUR, merchant, status="in_transit", tracking_number="one for all orders"
            ),
        )


def test_messages_of_a_tick_have_its_time() -> None:
    """Not that of the last timer in the calendar: a restored shard lacks entries that others have left behind there."""
    told = []
    for left_behind in (False, True):
        shard = Shard(make_judge(shards=2))
        shard.apply(placed(at=0))
        if left_behind:
            shard.core.state.timers.set("o" + "m1:gone", START + 2 * HOUR - 5)
        shard.mail = []
        shard.apply(tick=2 * HOUR)
        told.append(messages(shard.mail))
    assert told[0] == told[1] != []
    assert {message.occurred_at for message in told[0]} == {START + 2 * HOUR}

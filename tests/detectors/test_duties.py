"""The law's duties about merchants, told as stories: who comes under a law, its clocks, and what ends them."""

from pathlib import Path
from shutil import copytree

import pytest
from msgspec.structs import replace

from config.policies import PACKAGED, PolicyError, load_policies
from detectors.policy import PolicySet, compile_policies
from features.outputs import DutyDue, EnforcementDecided, EnforcementReversed
from features.registry import FEATURES
from streams.explain.state import merchant_state
from tests.builders import (
    DAY,
    HOUR,
    START,
    Event,
    Shard,
    event,
    make_judge,
    of_order,
    placed,
    policies_of,
    shipped,
    stored,
)
from tests.dsa_v2 import faults, personal_data

LEAST = "least: 200, turnover: 5000"
ITEMS = ("bank", "identity", "tax_id", "contact")
#: Day on which a merchant that never answers was given notice, and on which that ends.
NOTICE = 15
NOTICE_ENDS = NOTICE + 10


def folder_with(folder: Path, *changes: tuple[str, str]) -> PolicySet:
    """The packaged policies with a law that begins at four sales and forty dollars, and other changes of its file."""
    copytree(PACKAGED, folder, dirs_exist_ok=True)
    text = (folder / "duties.yaml").read_text(encoding="utf-8")
    for old, new in ((LEAST, "least: 4, turnover: 40"), ("turnover: 20000", "turnover: 80"), *changes):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "duties.yaml").write_text(text, encoding="utf-8")
    return compile_policies(load_policies(folder), FEATURES)


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """Laws with small numbers."""
    return folder_with(tmp_path_factory.mktemp("policies"))


def sale(number: int, day: float, total: int = 1_000, merchant: str = "m1") -> Event:
    """An order for ten dollars."""
    return placed(f"o{number}", int(day * DAY), merchant, total=total, currency="USD")


def verified(what: str, day: float, state: str = "verified") -> Event:
    """Something about the merchant is known."""
    return event("merchant.verified", int(day * DAY), what=what, state=state)


def begun(policies: PolicySet, *events: Event) -> Shard:
    """A shard with a merchant that comes under the law with its fourth sale, on day 3."""
    shard = Shard(make_judge(policies, audit_rate=0.0))
    shard.apply(*events, *(sale(day, day) for day in range(4)))
    return shard


def at(shard: Shard, day: float) -> Shard:
    """Move event time on."""
    shard.apply(tick=int(day * DAY))
    return shard


def duties(shard: Shard) -> list[tuple[str, str]]:
    """What was published of duties: which, and how it stands."""
    return [(each.duty, each.state) for each in shard.all_outputs() if isinstance(each, DutyDue)]


def last(shard: Shard) -> DutyDue:
    """The latest of them."""
    return [each for each in shard.all_outputs() if isinstance(each, DutyDue)][-1]


def test_a_merchant_comes_under_the_law_with_the_sale_that_meets_it(policies: PolicySet) -> None:
    """Three sales are too few, and so is a fourth of nothing; ten days to collect begin with the one that counts."""
    shard = Shard(make_judge(policies))
    shard.apply(*(sale(day, day) for day in range(3)), sale(3, 3, total=0))
    assert duties(shard) == []
    shard.apply(sale(4, 4))
    (found,) = [each for each in shard.all_outputs() if isinstance(each, DutyDue)]
    assert (found.law, found.duty, found.state) == ("inform", "collect", "due")
    assert found.due_at == shard.state.clock.highest + 10 * DAY
    assert found.facts == (
        "US INFORM Consumers Act: at least 4 sales and 40 dollars within twelve months (5 and 40.00 in the latest); "
        "missing: bank, identity, tax_id, contact"
    )
    (duty,) = shard.standings()[-1].duties
    assert (duty.law, duty.duty, duty.state, duty.due_at) == ("inform", "collect", "due", found.due_at)


def test_what_is_given_in_time_is_verified_and_done(policies: PolicySet) -> None:
    """Provided within ten days: collected; verified within ten more: verified; then nothing is open for a year."""
    shard = begun(policies)
    shard.apply(*(verified(what, 5, "provided") for what in ITEMS))
    assert duties(shard) == [("collect", "due"), ("collect", "met"), ("verify", "due")]
    assert last(shard).facts.endswith("missing: bank, identity, tax_id, contact")
    shard.apply(*(verified(what, 7) for what in ITEMS))
    assert duties(shard)[3:] == [("verify", "met")]
    assert shard.standings()[-1].duties == []
    assert duties(at(shard, 360))[4:] == []


def test_what_was_verified_before_counts(policies: PolicySet) -> None:
    """Who gave everything at sign-up has met both duties the moment the law begins."""
    shard = begun(policies, *(verified(what, 0) for what in ("bank_account", "government_id", "tin", "email")))
    assert duties(shard) == [("collect", "met"), ("verify", "met")]


def ignored(policies: PolicySet) -> Shard:
    """A merchant that has let ten days to collect pass, and was given notice."""
    shard = at(begun(policies), NOTICE)
    shard.apply(verified("notice", NOTICE))
    return shard


def test_who_does_not_answer_is_given_notice_and_suspended_by_a_person(policies: PolicySet) -> None:
    """Ten days to collect, ten of notice; then the rules have it, and a person decides. No event need come."""
    shard = at(ignored(policies), NOTICE_ENDS - 0.1)
    assert duties(shard) == [("collect", "due"), ("collect", "overdue")]
    at(shard, NOTICE_ENDS + 0.1)
    assert duties(shard)[2:] == [("suspend", "due")]
    (decision,) = shard.outputs(EnforcementDecided)
    assert (decision.action, decision.requires_review) == ("suspend_merchant", True)
    assert decision.policy.id == "trader-information-missing"
    assert faults(decision.statement_of_reasons) == personal_data(decision.statement_of_reasons) == []
    assert shard.feature("duties_unmet") == 1
    standing = shard.standings()[-1]
    assert [each.action for each in standing.enforcements] == ["suspend_merchant"]
    assert {each.duty for each in standing.duties} == {"collect", "suspend"}


def test_nobody_is_suspended_without_notice(policies: PolicySet) -> None:
    """However long it is overdue: a marketplace that has not asked, or doesn't tell, suspends nobody for it. A notice
    that went out before anything was overdue is none.
    """
    shard = begun(policies)
    shard.apply(verified("notice", 5))
    at(shard, 100)
    assert duties(shard) == [("collect", "due"), ("collect", "overdue")]
    assert shard.outputs(EnforcementDecided) == []


def test_what_comes_at_last_ends_the_suspension(policies: PolicySet) -> None:
    """The decision ends when the last missing thing is given; it was not wrong."""
    shard = at(ignored(policies), 30)
    shard.apply(*(verified(what, 31) for what in ITEMS[:-1]))
    assert shard.outputs(EnforcementReversed) == []
    shard.apply(verified("phone", 32))
    (reversed_,) = shard.outputs(EnforcementReversed)
    assert reversed_.why == "expiry"
    assert reversed_.reverses == shard.outputs(EnforcementDecided)[0].decision_id
    assert duties(shard)[-3:] == [("collect", "met"), ("verify", "met"), ("suspend", "ended")]
    assert shard.standings()[-1].enforcements == []
    assert shard.feature("duties_open") == 0


def test_a_change_of_the_account_is_verified_anew(policies: PolicySet) -> None:
    """A new bank account is known and not verified: ten days for that; the other things stand."""
    shard = begun(policies, *(verified(what, 0) for what in ITEMS))
    shard.apply(event("merchant.account_changed", 5 * DAY, what="bank", value_hash="x"))
    assert last(shard).duty == "verify"
    assert last(shard).facts.endswith("missing: bank")
    at(shard, 16)
    assert duties(shard)[-1] == ("verify", "overdue")
    shard.apply(verified("bank", 17))
    assert duties(shard)[-1] == ("verify", "met")


def test_once_a_year_everything_is_certified(policies: PolicySet) -> None:
    """A year after it was verified; certified in time it is met for another year, else notice is given."""
    shard = begun(policies, *(verified(what, 0) for what in ITEMS))
    at(shard, 3 + 365.1)
    assert duties(shard)[-1] == ("recertify", "due")
    shard.apply(verified("certification", 370))
    assert duties(shard)[-1] == ("recertify", "met")
    shard.apply(*(sale(10 + number, 372) for number in range(4)))
    at(shard, 370 + 365 + 10.1)
    assert duties(shard)[-2:] == [("recertify", "due"), ("recertify", "overdue")]
    shard.apply(verified("notice", 370 + 365 + 11))
    at(shard, 370 + 365 + 21.1)
    assert duties(shard)[-1] == ("suspend", "due")


def test_more_turnover_means_disclosure(policies: PolicySet) -> None:
    """From eighty dollars on buyers must be shown who it is."""
    shard = begun(policies, *(verified(what, 0) for what in ITEMS))
    shard.apply(sale(4, 4, total=3_999))
    assert ("disclose", "due") not in duties(shard)
    shard.apply(sale(5, 5, total=1))
    assert duties(shard)[-1] == ("disclose", "due")
    shard.apply(verified("disclosure", 6))
    assert duties(shard)[-1] == ("disclose", "met")


def test_a_cancelled_sale_takes_the_law_back(policies: PolicySet) -> None:
    """The fourth sale was cancelled before it was shipped: by the next clock nothing is asked any more."""
    shard = begun(policies)
    shard.apply(of_order("cancelled", "o3", at=4 * DAY, by="buyer"))
    at(shard, 14)
    assert duties(shard) == [("collect", "due"), ("collect", "ended")]
    shard.apply(sale(9, 15))
    assert duties(shard)[-1] == ("collect", "due")


def test_what_is_cancelled_after_it_was_shipped_was_a_sale(policies: PolicySet) -> None:
    """So was what is refunded: revenue is gross."""
    shard = begun(policies)
    shard.apply(
        shipped("o3", at=3 * DAY + HOUR),
        of_order("cancelled", "o3", at=4 * DAY, by="buyer"),
        of_order("refunded", "o3", at=5 * DAY, amount=1_000, fault="seller"),
    )
    assert duties(at(shard, 14)) == [("collect", "due"), ("collect", "overdue")]


def test_repeated_and_late_orders_count_once_on_their_own_day(policies: PolicySet) -> None:
    """The same order twice is one sale; one that is heard of late counts as if it had been heard of in time."""
    shard = Shard(make_judge(policies))
    shard.apply(sale(0, 0), sale(0, 0), sale(1, 400), sale(2, 401), sale(3, 402))
    assert duties(shard) == []
    shard.apply(sale(4, 300))
    assert duties(shard) == [("collect", "due")]


def test_the_law_ends_two_years_after_the_months_that_met_it_began(policies: PolicySet) -> None:
    """Quiet since; at the yearly certification after that nothing is due any more, and nothing is kept."""
    shard = begun(policies, *(verified(what, 0) for what in ITEMS))
    at(shard, 368.5)
    assert duties(shard)[-1] == ("recertify", "due")
    shard.apply(verified("certification", 369))
    at(shard, 369 + 365 + 1)
    assert duties(shard)[-1] == ("recertify", "met")
    known = shard.merchant().record.duties
    assert known is not None
    assert known.laws == {}


def test_sales_in_other_currencies_are_not_counted(policies: PolicySet) -> None:
    """Nor kept: a merchant who sells in euros has no sums of years."""
    shard = Shard(make_judge(policies))
    shard.apply(*(placed(f"o{number}", number * DAY) for number in range(9)))
    assert duties(shard) == []
    assert shard.merchant().record.sales is None


def test_traders_of_the_union_are_asked_at_sign_up(policies: PolicySet) -> None:
    """A business from France has a day; an individual, or one from elsewhere, is not asked. Closing ends it."""
    shard = Shard(make_judge(policies))
    for merchant, kind, country in (("m1", "business", "FR"), ("m2", "individual", "FR"), ("m3", "business", "US")):
        shard.apply(event("merchant.registered", 0, merchant, kind=kind, country=country, registered_at=START))
    found = [each for each in shard.all_outputs() if isinstance(each, DutyDue)]
    assert [(each.merchant_id, each.law, each.duty) for each in found] == [("m1", "dsa_traceability", "collect")]
    at(shard, 1.5)
    assert duties(shard)[-1] == ("collect", "overdue")
    shard.apply(event("merchant.closed", 2 * DAY))
    assert duties(shard)[-1] == ("collect", "ended")
    assert duties(at(shard, 60))[-1] == ("collect", "ended")


def test_it_does_not_depend_on_how_the_stream_is_cut(policies: PolicySet) -> None:
    """Many flushes or one: the same outputs and the same bytes of state."""
    events = [verified("bank", 0), *(sale(day, day) for day in range(6)), *(verified(what, 8) for what in ITEMS)]
    events += [sale(9, 40), of_order("cancelled", "o9", at=41 * DAY, by="seller"), sale(10, 60, total=9_000)]
    one, many = Shard(make_judge(policies)), Shard(make_judge(policies))
    one.apply(*events)
    for each in events:
        many.apply(each)
    assert [emit.value for emit in one.emits] == [emit.value for emit in many.emits]
    assert stored(one.core) == stored(many.core)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("policy: trader_information\n  laws", "policy: trader_info\n  laws", 'unknown policy "trader_info"; did you'),
        ("owner: identity", "owner: identty", 'unknown item "identty"; did you mean "identity"?'),
        ("email: contact", "emial: contact", 'unknown change "emial"; did you mean "email"?'),
        ("suspend_for: [collect, recertify]", "suspend_for: [disclose]", 'nobody is suspended for "disclose"'),
        ("suspend_for: [collect, recertify]", "suspend_for: [colect]", "Invalid enum value 'colect'"),
        ("      registered:\n", "      sales: {least: 1, turnover: 1, currencies: {USD: 100}}\n      registered:\n",
         'give either "sales" or "registered"'),
        ("turnover: 80", "turnover: 20", "disclose: turnover is below that of the law itself"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Contradictions and unknown words of the laws are errors with their file."""
    with pytest.raises(PolicyError) as caught:
        folder_with(tmp_path, (old, new))
    found = [str(problem) for problem in caught.value.problems]
    assert any(problem.startswith("duties.yaml:") and words in problem for problem in found), found


def test_policies_without_laws_keep_no_sales(tmp_path: Path) -> None:
    """A folder without duties is a whole one."""
    shard = Shard(make_judge(policies_of(tmp_path, "rules: []")))
    shard.apply(sale(0, 0), verified("bank", 1))
    assert shard.core._assessor.duties is None
    assert shard.merchant().record.sales is None
    assert shard.merchant().record.verified == ["bank"]


def test_explain_shows_sales_and_duties(policies: PolicySet) -> None:
    """What a person who looks at the merchant needs: sums of the law's months, clocks, what is not verified."""
    shard = begun(policies, *(verified(what, 0, "provided") for what in ITEMS))
    state = merchant_state(shard.merchant())
    assert state["twelve_months"] == {
        "up_to": "2024-01-04",
        "sales": 4,
        "revenue_minor_units": 4_000,
        "only_since": None,
    }
    assert state["duties_of_the_law"]["given_but_not_verified"] == list(ITEMS)
    assert state["duties_of_the_law"]["inform"]["verify"] == "due 2024-01-14T00:00:00.000Z"


def test_policies_without_duties_leave_clocks_alone(policies: PolicySet) -> None:
    """Put in place while a duty waits for its time: the merchant's timer passes over it."""
    shard = begun(policies)
    told = len(duties(shard))
    assert told > 0
    shard.core.use(make_judge(replace(policies, duties=None), audit_rate=0.0))
    at(shard, 200)
    assert len(duties(shard)) == told

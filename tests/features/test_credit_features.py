"""Features of credit."""

from features.creator import Creator, CreatorRecord
from features.credit import CreditState
from features.feature import Context, of_creator
from features.merchant import Merchant, MerchantRecord
from features.population import Population
from features.registry import FEATURES


def test_the_score_is_that_last_published() -> None:
    """Null without credit, and while there are too few orders."""
    score, probation = FEATURES["credit_score"].get, FEATURES["in_probation"].get
    context = Context(Merchant("m1", MerchantRecord()), Population())
    assert (score(context), probation(context)) == (None, 0)
    context.merchant.record.credit = CreditState(score=None, graduated=0)
    assert (score(context), probation(context)) == (None, 1)
    context.merchant.record.credit = CreditState(score=151, graduated=1)
    assert (score(context), probation(context)) == (151, 0)


def test_creators_have_one_as_well() -> None:
    """And what is asked of a merchant has none of a creator."""
    score = FEATURES["creator_credit_score"].get
    creator = Creator("c1", CreatorRecord(credit=CreditState(score=99)))
    assert score(of_creator(creator, Population())) == 99
    assert score(Context(Merchant("m1", MerchantRecord()), Population())) is None

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policies import load_policies
from config.policy_specs import TermsSpec
from features.events import ListingCreated
from features.listing_text import ListingText, Terms, compile_terms, listing_signals

SPEC = {
    "replica": {"terms": ["replica", "mirror quality", "1:1", "aaa+", "高仿"], "allow": ["scale replica", "1:1 scale"]},
    "contact": {"terms": ["whatsapp", "text me"], "patterns": ["phone", "url", "email", "handle"]},
    "prohibited": {"terms": ["handgun"], "allow": ["handgun safe"]},
    "claims": {"terms": ["100% safe", "miracle cure"]},
    "brands": {"protected": ["Solenne", "Aurelio Conti"], "contexts": ["case for", "compatible with"]},
    "categories": {"prohibited": ["weapons"], "restricted": {"jewelry/watches": "category:jewelry/watches"}},
}


@pytest.fixture(scope="module")
def terms() -> Terms:
    """A small matcher with something in every list."""
    return compile_terms(msgspec.convert(SPEC, TermsSpec))


@pytest.fixture(scope="module")
def packaged_terms() -> Terms:
    """The term lists that come along."""
    files = load_policies()
    assert files.terms is not None
    return compile_terms(files.terms[0])


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A replica watch", {"replica": ["replica"]}),
        ("REPLICA, replica; Replica!", {"replica": ["replica"]}),
        ("Replicate your favourite look", {}),
        ("Mirror quality bag", {"replica": ["mirror quality"]}),
        ("Mirror, high quality", {}),
        ("1:1 bag", {"replica": ["1:1"]}),
        ("Bag 1：1", {"replica": ["1:1"]}),
        ("Model 11:15, size 1:12", {}),
        ("USB 1.1 cable", {}),
        ("Ship model, 1:1 scale", {}),
        ("Ship model, 1:1 scale, 1:1 copy", {"replica": ["1:1"]}),
        ("Grade aaa+ bag", {"replica": ["aaa+"]}),
        ("AAA batteries", {}),
        ("新款高仿手袋", {"replica": ["高仿"]}),
        ("Scale replica of a ship", {}),
        ("Scale replica, a replica", {"replica": ["replica"]}),
        ("r\u200be\u200bp\u200blica", {"replica": ["replica"]}),
        ("ｒｅｐｌｉｃａ", {"replica": ["replica"]}),
        ("Handgun safe with lock", {}),
        ("Handgun", {"prohibited": ["handgun"]}),
        ("100% safe miracle cure", {"claims": ["100% safe", "miracle cure"]}),
    ],
)
def test_terms_are_found_as_words_and_phrases(terms: Terms, title: str, expected: dict[str, list[str]]) -> None:
    """Terms hit whole words without regard to case or disguise, and allowed phrases take their words away."""
    assert terms.hits(title) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WhatsApp us", ["whatsapp"]),
        ("Call +1 (212) 555-0100", ["phone"]),
        ("phone: 0151 23456789", ["phone"]),
        ("Text me at 212 555 0100", ["phone", "text me"]),
        ("see http://example.test/x", ["url"]),
        ("visit www.example.test", ["url"]),
        ("now at myshop.com", ["url"]),
        ("mail shop@example.com", ["email", "url"]),
        ("follow @my.shop", ["handle"]),
        ("Size 38-44, 500 ml, 5000 mAh, EAN 4006381333931", []),
        ("2 x 100 ml @ 20 each. Commerce. network", []),
        ("This fabric is.compact and light", []),
        ("Item 12345678901 (2024-05-06)", []),
        ("Phone 128 256 512 GB, cell 18650 3000 mAh", []),
        ("mobile no. 0151-234 5678", ["phone"]),
    ],
)
def test_ways_out_of_the_marketplace_are_found(terms: Terms, text: str, expected: list[str]) -> None:
    """Messengers, announced or international numbers, links, addresses and handles are found; sizes and numbers are
    not.
    """
    assert terms.hits("Title", text).get("contact", []) == expected


@pytest.mark.parametrize(
    ("title", "brand", "authorizations", "unauthorised"),
    [
        ("Solenne midi dress", None, None, True),
        ("SOLENNE midi dress", None, ["brand:solenne"], False),
        ("Solenne midi dress", None, ["Solenne"], False),
        ("Solenne midi dress", None, ["brand:aurelio conti"], True),
        ("Midi dress", "Solenne", [], True),
        ("Midi dress", "Aurelio  Conti", ["brand:aurelio conti"], False),
        ("Aurelio bag by Conti", None, None, False),
        ("Aurelio Conti bag", None, None, True),
        ("Case for Solenne phone", "Snapfit", None, False),
        ("Strap compatible with the new Solenne watch", None, None, False),
        ("Case for tablets and many more things, Solenne", None, None, True),
        ("Case for Solenne phone, by Aurelio Conti", None, None, True),
        ("Case for Solenne phone", "Solenne", None, True),
        ("Solennement", "Solennex", None, False),
    ],
)
def test_protected_brands_need_an_authorisation(
    terms: Terms, title: str, brand: str | None, authorizations: list[str] | None, unauthorised: bool
) -> None:
    """A protected brand in title or brand field needs its authorisation, unless it only says what the product fits."""
    assert terms.scan(title, "", "x", brand, authorizations).brand_unauthorised is unauthorised


def test_brands_in_a_description_mean_nothing(terms: Terms) -> None:
    """A description names brands that the product fits or is compared with."""
    assert not terms.scan("Dress", "Goes well with Solenne shoes").brand_unauthorised


@pytest.mark.parametrize(
    ("category", "authorizations", "prohibited", "restricted"),
    [
        ("weapons", None, True, False),
        ("Weapons/Knives", None, True, False),
        ("weaponsmith/books", None, False, False),
        ("jewelry/watches", None, False, True),
        ("jewelry/watches/automatic", ["category:jewelry/rings"], False, True),
        ("jewelry/watches", ["category:jewelry/watches"], False, False),
        ("jewelry/watches", ["permit:Jewelry/Watches"], False, False),
        ("jewelry", None, False, False),
        ("", None, False, False),
    ],
)
def test_categories_are_judged_with_all_below_them(
    terms: Terms, category: str, authorizations: list[str] | None, prohibited: bool, restricted: bool
) -> None:
    """A prohibited or restricted category covers what is below it and nothing beside it; its permit opens it."""
    signals = terms.scan("x", None, category, None, authorizations)
    assert (signals.category_prohibited, signals.category_restricted) == (prohibited, restricted)


def test_the_signals_of_a_listing_event(terms: Terms) -> None:
    """A listing as it was sent gives the counts of distinct terms over title and description."""
    listing = ListingCreated(
        event_id="e", occurred_at=1_700_000_000_000, merchant_id="m", listing_id="l",
        title="Replica bag, 1:1", description="replica. WhatsApp +1 212 555 0100. Miracle cure.", category="weapons/x",
        price=100, currency="USD", brand="Solenne",
    )  # fmt: skip
    assert listing_signals(listing, terms) == ListingText(2, 2, 0, 1, True, True, False)


def test_a_phrase_does_not_reach_from_title_into_description(terms: Terms) -> None:
    """The last word of the title and the first of the description make no phrase."""
    assert terms.hits("A bag like a mirror", "quality leather") == {}


@given(title=st.text(max_size=100), description=st.text(max_size=300))
def test_any_text_has_signals(packaged_terms: Terms, title: str, description: str) -> None:
    """No text makes the matcher fail, and what it counts is what it names."""
    signals = packaged_terms.scan(title, description, title, description[:50], [title])
    hits = packaged_terms.hits(title, description)
    counts = [len(hits.get(name, ())) for name in ("replica", "contact", "prohibited", "claims")]
    assert counts == [signals.replica_terms, signals.contact_terms, signals.prohibited_terms, signals.claim_terms]


@given(
    filler=st.lists(st.sampled_from(["soft", "blue", "bag", "für", "Größe", "12"]), max_size=20),
    position=st.integers(0, 20),
)
def test_a_term_is_found_wherever_it_stands(packaged_terms: Terms, filler: list[str], position: int) -> None:
    """A term among other words is found at any place."""
    words = [*filler[:position], "super", "copy", *filler[position:]]
    assert packaged_terms.hits(" ".join(words)) == {"replica": ["super copy"]}


def test_every_packaged_term_is_found_by_itself(packaged_terms: Terms) -> None:
    """No packaged term is shadowed by an allowed phrase or lost in its normal form."""
    files = load_policies()
    assert files.terms is not None
    for name in ("replica", "contact", "prohibited", "claims"):
        for term in getattr(files.terms[0], name).terms:
            assert packaged_terms.hits(f"Nice thing {term} here").get(name), (name, term)


def test_every_allowed_phrase_means_no_harm(packaged_terms: Terms) -> None:
    """What a packaged list allows is not reported by that list."""
    files = load_policies()
    assert files.terms is not None
    for name in ("replica", "contact", "prohibited", "claims"):
        for phrase in getattr(files.terms[0], name).allow:
            assert not packaged_terms.hits(f"Nice {phrase} here").get(name), (name, phrase)


def test_a_hostile_text_takes_linear_time(packaged_terms: Terms) -> None:
    """The longest texts that the contract allows, made to trouble the patterns, are read all the same."""
    for piece in ("+1 2", "call 1 ", "a.b@", "@a.", "www", "1:", "case for ", "\u200b", "replica scale "):
        packaged_terms.scan(
            piece * (20_000 // len(piece)), piece * (20_000 // len(piece)), piece * 60, piece, [piece] * 64
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contact": {"patterns": ["fone"]}}, 'contact: unknown pattern "fone"; did you mean "phone"?'),
        ({"replica": {"terms": ["***"]}}, "replica: '\\*\\*\\*' has no letter or digit"),
        ({"brands": {"protected": ["-"]}}, "brands: '-' has no letter or digit"),
    ],
)
def test_terms_that_cannot_match_are_refused(change: dict[str, object], words: str) -> None:
    """A term without a letter, or a pattern that is not there, is an error."""
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        compile_terms(msgspec.convert(SPEC | change, TermsSpec))

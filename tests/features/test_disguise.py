from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.confusables import LOOK_ALIKES
from features.disguise import ALLOWED, Disguises, Phrase, cut_up, unmask

TERMS = ("replica", "mirror quality", "whatsapp", "handgun", "dupe", "burn fat overnight", "pm me", "aaa quality")
LETTERS = ("replica", "whatsapp", "handgun", "cocaine", "counterfeit")


def phrases(*terms: str, kind: int = 0) -> list[Phrase]:
    """Phrases of some terms."""
    return [Phrase(kind, tuple(term.split()), term) for term in terms]


@pytest.fixture(scope="module")
def disguises() -> Disguises:
    """A few terms, and phrases that excuse them."""
    return Disguises([*phrases(*TERMS), *phrases("scale replica", "handgun safe", kind=ALLOWED)])


def found(disguises: Disguises, text: str) -> list[str]:
    """Terms in disguise."""
    return [phrase.term for phrase in disguises.find(cut_up(text)) if phrase.kind != ALLOWED]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("rерlіса bag", "replica"),
        ("ʀᴇᴘʟɪᴄᴀ bag", "replica"),
        ("🅡🅔🅟🅛🅘🅒🅐", "replica"),
        ("🇷 🇪 🇵 🇱 🇮 🇨 🇦", "replica"),
        ("r̶e̶p̶l̶i̶c̶a̶", "replica"),
        ("rép\u0301l\u200bica", "replica"),
        ("ΗΑΝDGUΝ", "handgun"),
        ("яерliса", "replica"),
        ("r3pl1c4", "replica"),
        ("RepI!c@", "replica"),
        ("rep|ica!!", "replica"),
        ("$ale of vvh4t$app", "whatsapp"),
        ("r e p l i c a", "replica"),
        ("r.e.p.l.i.c.a", "replica"),
        ("r-e_p/l~i-c.a", "replica"),
        ("r 3 p l 1 c 4", "replica"),
        ("rep-lica", "replica"),
        ("re🔥pli🔥ca", "replica"),
        ("repliiiica", "replica"),
        ("rrreeepppllliiiccaaa", "replica"),
        ("r  e  ppp  lll i c a", "replica"),
        ("mirrorquality", "mirror quality"),
        ("m1rr0r-qu@l1ty", "mirror quality"),
        ("m i r r o r quality", "mirror quality"),
        ("b u r n fat overnight", "burn fat overnight"),
        ("r*plica", "replica"),
        ("wh*ts*pp", "whatsapp"),
        ("dup3", "dupe"),
        ("d u p e", "dupe"),
        ("scale r3plica", "replica"),
    ],
)
def test_disguises_are_seen_through(disguises: Disguises, text: str, term: str) -> None:
    """Each way of spelling a term so that a search misses it."""
    assert found(disguises, f"Nice thing {text} with box") == [term]
    assert found(disguises, text) == [term]


@pytest.mark.parametrize(
    "text",
    [
        "replica",
        "Replica, mirror quality; WhatsApp",
        "Replicate the reply call",
        "iPhone 15 Pro 128GB, 5G",
        "Size 3XL, 10 pcs, M4 x 16",
        "1:1 scale model",
        "Scale replica of a ship",
        "Hand gun safe",
        "A quality bag",
        "Mirror, high quality",
        "PMME 300 adhesive",
        "p mme",
        "Hand 9 un",
        "d 00 pe",
        "C# and F* and 2*500 mm, r*******a",
        "дуре",
    ],
)
def test_honest_text_is_left_alone(disguises: Disguises, text: str) -> None:
    """Plain terms (another's business), numbers, allowed phrases and parts of other words are no disguise."""
    assert found(disguises, text) == []


@given(
    word=st.sampled_from(LETTERS),
    places=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 80)), min_size=1, max_size=12),
)
def test_any_look_alike_of_any_letter_is_that_letter(word: str, places: list[tuple[int, int]]) -> None:
    """Whichever letters are replaced, and by which of their look-alikes, the term is found."""
    letters = list(word)
    for place, choice in places:
        others = LOOK_ALIKES[word[place % len(word)]]
        letters[place % len(word)] = others[choice % len(others)]
    assert found(Disguises(phrases(word)), "The " + "".join(letters) + " here") == [word]


@given(
    word=st.sampled_from(LETTERS),
    separator=st.sampled_from([" ", ".", "-", "_", "/", " . ", "·", "🔥", "~", "  "]),
    runs=st.lists(st.integers(1, 4), min_size=11, max_size=11),
)
def test_letters_set_apart_and_repeated_are_put_together(word: str, separator: str, runs: list[int]) -> None:
    """Any separator between the letters, and any number of repeats."""
    spelt = separator.join(letter * run for letter, run in zip(word, runs, strict=False))
    assert found(Disguises(phrases(word)), f"the {spelt} here") == [word]


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    """No text makes it fail, and unmasking takes all it can at once, for ASCII text nothing."""
    Disguises(phrases(*TERMS)).find(cut_up(text))
    assert unmask(text.lower()) == text.lower() or not text.isascii()


@pytest.mark.parametrize(
    "piece",
    ["a", "a ", "r e p ", "re.", "rep", "0", "1 ", "*", "r*", "a#b ", "!", "| ", "$@", "i", "ii ", "е", "е ", "a\u0301",
     "\u0301", "🅡", "🇷 ", "\u200b", "mirror ", "repl", "aa-", "bu r n "],
)  # fmt: skip
def test_mess_of_any_length_takes_linear_time(disguises: Disguises, piece: str) -> None:
    """The longest text that the contract allows takes at most a little more than ten times a tenth of it."""

    def seconds(characters: int) -> float:
        text = piece * (characters // len(piece))
        taken = []
        for _ in range(5):
            began = process_time()
            disguises.find(cut_up(text))
            taken.append(process_time() - began)
        return min(taken)

    assert seconds(20_000) < 25 * seconds(2_000) + 0.002

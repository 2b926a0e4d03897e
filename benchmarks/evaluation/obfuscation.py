"""Forbidden terms in disguise, placed in real listing titles: how many are found, and how often untouched titles raise
an alarm.

The disguises are made without the tables that find them: look-alikes, digits and signs are written down here. Terms are
in two parts by a hash: what :mod:`features.disguise` was tried out with is in the part "tuning", whatever its hash, and
only the part "report" is reported, half of the titles with it. What is missed was looked at in the part "tuning" alone.

python -m benchmarks.evaluation.obfuscation [--data DIR] [--part report|tuning] [--seed N] [--missed]
"""

import argparse
import csv
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

from xxhash import xxh32_intdigest

from config.policies import load_policies
from config.policy_specs import TermsSpec
from features.listing_text import LISTS, Terms, compile_terms

VARIANTS_PER_KIND: Final = 120
#: Terms that served as examples while the detection was written.
TRIED: Final = frozenset(
    {"replica", "mirror quality", "whatsapp", "handgun", "dupe", "burn fat overnight", "cocaine", "counterfeit",
     "firearm", "stolen", "super copy", "lose weight fast", "aaa quality", "1:1", "pm me", "e cigarette"}
)  # fmt: skip
_LOOK_ALIKES: Final = {
    "a": "аαɑａ𝐚𝒶", "b": "ЬƄ𝐛ｂ", "c": "сϲｃ𝐜", "d": "ԁｄ𝒅", "e": "еｅ𝐞℮", "f": "ｆ𝐟ƒ", "g": "ɡｇ𝐠", "h": "һｈ𝐡",
    "i": "іｉ𝐢ı", "j": "јｊ", "k": "кｋ𝐤", "l": "ӏｌ𝐥Ι", "m": "ｍ𝐦м", "n": "ոｎ𝐧", "o": "оοｏ𝐨", "p": "рρｐ𝐩",
    "q": "ԛｑ", "r": "гｒ𝐫", "s": "ѕｓ𝐬", "t": "ｔ𝐭τ", "u": "υսｕ", "v": "ѵνｖ", "w": "ԝｗ𝐰", "x": "хｘ",
    "y": "уｙ𝐲", "z": "ｚ𝐳ᴢ",
}  # fmt: skip
_SMALL_CAPITALS: Final = dict(zip("abcdefghijklmnopqrtuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀᴛᴜᴠᴡʏᴢ", strict=True))
_SIGNS: Final = {
    "a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7", "z": "2",
}  # fmt: skip
#: Of shorter words nobody can say what is masked.
_SHORTEST_MASKED: Final = 4
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_MARKS: Final = "\u0301\u0308\u0327\u0336\u0323\u20dd"

Spelling: TypeAlias = Callable[[str, Random], str]


class Variant(NamedTuple):
    """A title with a forbidden term in disguise."""

    kind: str
    term_list: str
    term: str
    title: str


def _some(text: str, change: Mapping[str, str], random: Random, share: float) -> str:
    """A text with a share of the letters that can be changed, and at least one, changed."""
    places = [place for place, letter in enumerate(text) if letter in change]
    chosen = set(random.sample(places, max(1, round(share * len(places))))) if places else set()
    return "".join(random.choice(change[letter]) if place in chosen else letter for place, letter in enumerate(text))


def _between(text: str, separator: str) -> str:
    return separator.join(text.replace(" ", ""))


def _inserted(text: str, characters: str, random: Random) -> str:
    """Characters after some of the letters, at least one inside a word."""
    places = [place for place in range(len(text) - 1) if text[place] != " " != text[place + 1]]
    chosen = set(random.sample(places, max(1, len(places) // 2)))
    return "".join(letter + random.choice(characters) * (place in chosen) for place, letter in enumerate(text))


def _repeated(text: str, random: Random) -> str:
    places = [place for place, letter in enumerate(text) if letter.isalpha()]
    chosen = set(random.sample(places, random.randint(1, 3)))
    return "".join(letter * (random.randint(2, 4) if place in chosen else 1) for place, letter in enumerate(text))


def _masked(text: str, random: Random) -> str:
    """A vowel in the middle of the longest word masked."""
    word = max(text.split(), key=len)
    if len(word) < _SHORTEST_MASKED:
        return text
    places = [place for place in range(1, len(word) - 1) if word[place] in "aeiou"] or [1]
    place = random.choice(places)
    return text.replace(word, word[:place] + "*" + word[place + 1 :], 1)


def _cut_in_two(text: str, random: Random) -> str:
    word = max(text.split(), key=len)
    place = random.randint(2, len(word) - 2) if len(word) > 3 else 1
    return text.replace(word, word[:place] + random.choice((" ", "-", ".", "_", "/")) + word[place:], 1)


def _spread(text: str, random: Random) -> str:
    """Look-alikes, then repeated letters."""
    return _repeated(_some(text, _LOOK_ALIKES, random, 0.3), random)


#: How a term is spelt, by the name of the kind.
KINDS: Final[Mapping[str, Spelling]] = {
    "look_alikes": lambda text, random: _some(text, _LOOK_ALIKES, random, 0.5),
    "all_look_alikes": lambda text, random: _some(text, _LOOK_ALIKES, random, 1),
    "small_capitals": lambda text, random: _some(text, _SMALL_CAPITALS, random, 1),
    "zero_width": lambda text, random: _inserted(text, _INVISIBLE, random),
    "combining_marks": lambda text, random: _inserted(text, _MARKS, random),
    "leetspeak": lambda text, random: _some(text, _SIGNS, random, 0.5),
    "strong_leetspeak": lambda text, random: _some(text, _SIGNS, random, 1),
    "spaced": lambda text, _: _between(text, " "),
    "dotted": lambda text, _: _between(text, "."),
    "dashed": lambda text, random: _between(text, random.choice("-_~/")),
    "repeated": _repeated,
    "run_together": lambda text, _: text.replace(" ", ""),
    "masked": _masked,
    "emoji_between": lambda text, random: _inserted(text, "🔥✨💥", random),
    "cut_in_two": _cut_in_two,
    "two_at_once": _spread,
    "three_at_once": lambda text, random: _inserted(
        _some(_some(text, _SIGNS, random, 0.3), _LOOK_ALIKES, random, 0.3), _INVISIBLE, random
    ),
}


def load_titles(file: Path) -> list[str]:
    """Titles of a CSV file with a column of that name, gzipped or not, each once and in order."""
    with (
        gzip.open(file, "rt", newline="", encoding="utf-8")
        if file.suffix == ".gz"
        else file.open(newline="", encoding="utf-8") as lines
    ):
        return list(dict.fromkeys(row["title"] for row in csv.DictReader(lines)))


def part_of(text: str) -> str:
    """The part, "report" or "tuning", that a hash gives."""
    return "report" if xxh32_intdigest(text.encode()) % 2 else "tuning"


def forbidden(spec: TermsSpec, part: str) -> list[tuple[str, str]]:
    """List and term of a part; terms in scripts without blanks between words have no letters to disguise."""
    found = []
    for name in LISTS:
        for term in map(str.lower, getattr(spec, name).terms):
            if term.isascii() and sum(map(str.isalpha, term)) > 2:
                where = "tuning" if term in TRIED else part_of(term)
                if where == part:
                    found.append((name, term))
    return found


def variants(titles: Sequence[str], spec: TermsSpec, seed: int, part: str, count: int) -> list[Variant]:
    """So many variants of each kind. Terms that a kind leaves as they are (no letter to change) are drawn anew."""
    random = Random(seed)
    terms = forbidden(spec, part)
    made: list[Variant] = []
    for kind, spell in KINDS.items():
        while len(made) % count or not made or made[-1].kind != kind:
            name, term = random.choice(terms)
            spelt = spell(term, random)
            if spelt.lower() == term:
                continue
            words = random.choice(titles).split()
            words.insert(random.randint(0, len(words)), spelt)
            made.append(Variant(kind, name, term, " ".join(words)))
    return made


def evaluate(
    titles: Sequence[str], seed: int = 1, part: str = "report", count: int = VARIANTS_PER_KIND
) -> dict[str, Any]:
    """Recall over all variants and by kind, and the share of untouched titles in which any term is found."""
    spec, terms = _packaged()
    own = [title for title in titles if part_of(title) == part]
    made = variants(own, spec, seed, part, count)
    found = [_is_found(terms, each) for each in made]
    alarms = [title for title in own if _alarms(terms, title)]
    by_kind = {
        kind: sum(hit for hit, each in zip(found, made, strict=True) if each.kind == kind) / count for kind in KINDS
    }
    return {
        "variants": len(made),
        "recall": sum(found) / len(made),
        "by_kind": by_kind,
        "terms": len(forbidden(spec, part)),
        "titles": len(own),
        "false_alarms": len(alarms),
        "false_alarm_share": len(alarms) / len(own),
    }


def missed(titles: Sequence[str], seed: int, part: str, count: int = VARIANTS_PER_KIND) -> list[Variant]:
    """The variants that are not found, to look at."""
    spec, terms = _packaged()
    own = [title for title in titles if part_of(title) == part]
    return [each for each in variants(own, spec, seed, part, count) if not _is_found(terms, each)]


def _is_found(terms: Terms, variant: Variant) -> bool:
    """Whether the list of the term has a hit: "knockoff" does for "knock off"."""
    return variant.term_list in terms.hits(variant.title)


def _alarms(terms: Terms, title: str) -> bool:
    signals = terms.scan(title)
    return bool(signals.disguised_terms or signals.brand_lookalike or terms.hits(title))


def _packaged() -> tuple[TermsSpec, Terms]:
    files = load_policies()
    assert files.terms is not None
    return files.terms[0], compile_terms(files.terms[0])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Forbidden terms in disguise, in real titles.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--part", choices=("report", "tuning"), default="report")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--missed", action="store_true", help="also print what is not found")
    given = parser.parse_args()
    titles = load_titles(given.data / "pricerunner" / "pricerunner_aggregate.csv.gz")
    if given.missed:
        for each in missed(titles, given.seed, given.part):
            print(f"{each.kind}: {each.term}: {each.title}")
    print(json.dumps(evaluate(titles, given.seed, given.part), indent=2))


if __name__ == "__main__":
    main()

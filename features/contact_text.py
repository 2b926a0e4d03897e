"""Ways to name a contact outside the marketplace in a text: numbers, addresses, links, handles, as such or spelt out.

Each pattern runs in linear time, and only on text with the plain words or signs that it needs. Text is in the normal
form of :func:`features.text.fold`, or in the Latin letters that it looks like (:func:`features.disguise.unmask`).
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final, TypeAlias

Finder: TypeAlias = Callable[[str], bool]

_INTERNATIONAL = re.compile(r"\+\d[\d ().-]{7,20}\d").search
_ANNOUNCED = re.compile(
    r"\b(?:(?:tel|call|text|sms|viber|whatsapp)\b\W{0,3}(?:(?:me|us|at|on)\W{1,3}){0,3}"
    r"|(?:phone|mobile|cell)(?: ?(?:no|number)\b\W{0,3}| ?[:#] ?))\d[\d ().-]{5,20}\d"
).search
_ANNOUNCEMENTS: Final = ("tel", "call", "text", "sms", "viber", "whatsapp", "phone", "mobile", "cell")
_NUMBER: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT: Final = rf"(?:{'|'.join(_NUMBER)}|oh|double|triple|[0-9])"
#: Seven digits at least, as a local number has, most of them in words.
_WRITTEN = re.compile(rf"\b(?:{_DIGIT}[ .,_-]{{1,3}}){{6,19}}{_DIGIT}\b").search
_FEWEST_IN_WORDS: Final = 4
#: Nine digits at least: a row of sizes is shorter.
_SINGLE_DIGITS = re.compile(r"(?<![0-9.,])[0-9](?:(?: ?[._*/-] ?| )[0-9]){8,14}(?![0-9])").search
_TOP_LEVEL: Final = "com|net|org|ru|cn|xyz|biz"
_TOP_LEVEL_SPELT: Final = rf"(?:{_TOP_LEVEL}|shop|store)\b"
_DOT: Final = r"(?:\W{0,3}\bdot\b\W{0,3}| ?[(\[{<] ?\. ?[)\]}>] ?)"
_DOMAIN = re.compile(rf"\.(?<=\w\.)(?:{_TOP_LEVEL})\b").search
_DOMAIN_SPELT = re.compile(rf"(?<=\w){_DOT}{_TOP_LEVEL_SPELT}").search
_DOMAIN_APART = re.compile(r"(?<=[a-z0-9]) \. ?(?:com|net|org)\b").search
_SHORT_LINKS: Final = ("wa.me/", "t.me/", "m.me/", "bit.ly/", "linktr.ee", "tinyurl.", "hxxp")
_EMAIL = re.compile(r"[\w.+-]{1,64}@\w[\w-]{0,60}\.\w").search
_AT: Final = r"(?:@|\bat\b|[(\[{<] ?at ?[)\]}>])"
_PROVIDERS: Final = r"(?:g ?mail|hotmail|outlook|yahoo|proton(?:mail)?|icloud|gmx|qq|163)"
#: One of them is in every address that is spelt out.
_SPELT_WORDS: Final = ("dot", "mail", "outlook", "yahoo", "proton", "icloud", "gmx", "qq", "163", "(", "[", "{", "<")
_EMAIL_SPELT = re.compile(
    rf"(?<=\w) ?{_AT} ?(?:{_PROVIDERS}(?:{_DOT}| ?[.,] ?| ){_TOP_LEVEL_SPELT}"
    rf"|[\w-]{{2,40}}{_DOT}{_TOP_LEVEL_SPELT})"
).search
_HANDLE = re.compile(r"(?:^|[\s(:,])@\w[\w.]{2,30}").search
_NETWORK_NAME = re.compile(
    r"\b(?:ig|insta(?:gram)?|tg|telegram|wx|vx|wechat|snap(?:chat)?|kik|skype|facebook|tiktok)"
    r" ?(?:id|name|user ?name|handle|account)? ?(?:[:=] ?@?|@)[a-z_][\w.]{3,30}"
).search
_NETWORKS: Final = ("ig", "inst", "tg", "tele", "wx", "vx", "wech", "snap", "kik", "skyp", "face", "tikt")


def phone(text: str) -> bool:
    """International numbers; others that are announced as one, written out in words, or with their digits set apart.
    Other bare digits are mostly sizes and article numbers.
    """
    return (
        _INTERNATIONAL(text) is not None
        or (_has_any(text, _ANNOUNCEMENTS) and _ANNOUNCED(text) is not None)
        or _single_digits(text)
        or _written(text)
    )


def _has_any(text: str, words: Iterable[str]) -> bool:
    """Whether a text has any of these in it. (A plain loop: each listing asks dozens of times.)"""
    for word in words:  # noqa: SIM110 - a generator costs more than what it looks for
        if word in text:
            return True
    return False


def _single_digits(text: str) -> bool:
    found = _SINGLE_DIGITS(text)
    return found is not None and not _counts(list(map(int, re.findall("[0-9]", found[0]))))


def _written(text: str) -> bool:
    if sum(map(text.count, _NUMBER)) < _FEWEST_IN_WORDS:
        return False
    found = _WRITTEN(text)
    if found is None:
        return False
    digits = re.findall(_DIGIT, found[0])
    if sum(digit in _NUMBER for digit in digits) < _FEWEST_IN_WORDS:
        return False
    return not _counts([_NUMBER.index(digit) for digit in digits if digit in _NUMBER])


def _counts(digits: list[int]) -> bool:
    """Whether digits mostly rise by one, as they do where someone counts ("sizes 1 2 3 4")."""
    rises = sum(later - earlier == 1 for earlier, later in pairwise(digits))
    return rises * 2 > len(digits)


def url(text: str) -> bool:
    """Links and domains, as such or with the dot spelt out or set apart."""
    if "://" in text or "www." in text or _DOMAIN(text) is not None:
        return True
    if _has_any(text, _SHORT_LINKS):
        return True
    if "dot" in text or "(." in text or "[." in text or "{." in text or "( ." in text:
        return _DOMAIN_SPELT(text) is not None
    return " ." in text and _DOMAIN_APART(text) is not None


def email(text: str) -> bool:
    """E-mail addresses, as such or with "at" and "dot" spelt out."""
    if "@" in text and _EMAIL(text) is not None:
        return True
    return _has_any(text, _SPELT_WORDS) and _EMAIL_SPELT(text) is not None


def handle(text: str) -> bool:
    """Names at social networks: @name, or with the network's name before ("ig: name")."""
    if "@" in text and _HANDLE(text) is not None:
        return True
    return (":" in text or "=" in text or "@" in text) and (
        _has_any(text, _NETWORKS) and _NETWORK_NAME(text) is not None
    )


#: By the name that term files use.
PATTERNS: Final[dict[str, Finder]] = {"phone": phone, "url": url, "email": email, "handle": handle}

"""A validator of statements of reasons by the rules of the DSA Transparency Database, API schema version 2.

Written from the database's own validation rules and documentation (digital-services-act/transparency-database:
StatementStoreRequest and its trait for several statements, api-documentation.md,
additional-explanation-for-statement-attributes.md), and not from what Shopwarden writes. It is stricter than the
database in four points, all from the documentation: fields that it does not know, end dates before the application
date, end dates of a kind of restriction that was not decided, and keywords of another category.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VISIBILITIES: Final = frozenset(
    f"DECISION_VISIBILITY_{name}"
    for name in (
        "CONTENT_REMOVED", "CONTENT_DISABLED", "CONTENT_DEMOTED", "CONTENT_AGE_RESTRICTED",
        "CONTENT_INTERACTION_RESTRICTED", "CONTENT_LABELLED", "OTHER",
    )
)  # fmt: skip
MONETARIES: Final = frozenset(f"DECISION_MONETARY_{name}" for name in ("SUSPENSION", "TERMINATION", "OTHER"))
PROVISIONS: Final = frozenset(
    f"DECISION_PROVISION_{extent}_{what}" for extent in ("PARTIAL", "TOTAL") for what in ("SUSPENSION", "TERMINATION")
)
ACCOUNTS: Final = frozenset({"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"})
ACCOUNT_TYPES: Final = frozenset({"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"})
ILLEGAL: Final = "DECISION_GROUND_ILLEGAL_CONTENT"
INCOMPATIBLE: Final = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
CONTENT_TYPES: Final = frozenset(
    f"CONTENT_TYPE_{name}" for name in ("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")
)
SOURCES: Final = frozenset(
    {"SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"}
)
AUTOMATED: Final = frozenset(f"AUTOMATED_DECISION_{name}" for name in ("FULLY", "PARTIALLY", "NOT_AUTOMATED"))
YES_NO: Final = frozenset({"Yes", "No"})
COUNTRIES: Final = _words("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO")
#: ISO 639-1.
LANGUAGES: Final = _words(
    """AA AB AE AF AK AM AN AR AS AV AY AZ BA BE BG BH BI BM BN BO BR BS CA CE CH CO CR CS CU CV CY DA
DE DV DZ EE EL EN EO ES ET EU FA FF FI FJ FO FR FY GA GD GL GN GU GV HA HE HI HO HR HT HU HY HZ
IA ID IE IG II IK IO IS IT IU JA JV KA KG KI KJ KK KL KM KN KO KR KS KU KV KW KY LA LB LG LI LN
LO LT LU LV MG MH MI MK ML MN MR MS MT MY NA NB ND NE NG NL NN NO NR NV NY OC OJ OM OR OS PA PI
PL PS PT QU RM RN RO RU RW SA SC SD SE SG SI SK SL SM SN SO SQ SR SS ST SU SV SW TA TE TG TH TI
TK TL TN TO TR TS TT TW TY UG UK UR UZ VE VI VO WA WO XH YI YO ZA ZH ZU"""
)
#: Keywords by category, without the prefix; ``KEYWORD_OTHER`` goes with each.
KEYWORDS: Final[dict[str, frozenset[str]]] = {
    "ANIMAL_WELFARE": _words("ANIMAL_HARM UNLAWFUL_SALE_ANIMALS"),
    "CONSUMER_INFORMATION": _words(
        """HIDDEN_ADVERTISEMENT INSUFFICIENT_INFORMATION_ON_TRADERS MISLEADING_INFO_CONSUMER_RIGHTS
MISLEADING_INFO_GOODS_SERVICES NONCOMPLIANCE_PRICING"""
    ),
    "CYBER_VIOLENCE": _words(
        """CYBER_BULLYING_INTIMIDATION CYBER_HARASSMENT CYBER_INCITEMENT CYBER_STALKING
NON_CONSENSUAL_IMAGE_SHARING NON_CONSENSUAL_MATERIAL_DEEPFAKE"""
    ),
    "CYBER_VIOLENCE_AGAINST_WOMEN": _words(
        """BULLYING_AGAINST_GIRLS CYBER_HARASSMENT_AGAINST_WOMEN CYBER_STALKING_AGAINST_WOMEN
FEMALE_GENDERED_DISINFORMATION INCITEMENT_AGAINST_WOMEN
NON_CONSENSUAL_IMAGE_SHARING_AGAINST_WOMEN NON_CONSENSUAL_MATERIAL_DEEPFAKE_AGAINST_WOMEN
TRAFFICKING_WOMEN_GIRLS"""
    ),
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS": _words(
        "BIOMETRIC_DATA_BREACH DATA_FALSIFICATION MISSING_PROCESSING_GROUND RIGHT_TO_BE_FORGOTTEN"
    ),
    "ILLEGAL_OR_HARMFUL_SPEECH": _words("DEFAMATION DISCRIMINATION HATE_SPEECH"),
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS": frozenset(
        f"{name}_INFRINGEMENT"
        for name in ("COPYRIGHT", "DESIGN", "GEOGRAPHIC_INDICATIONS", "PATENT", "TRADE_SECRET", "TRADEMARK")
    ),
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS": _words(
        "MISINFORMATION_DISINFORMATION VIOLATION_EU_LAW VIOLATION_NATIONAL_LAW"
    ),
    "NOT_SPECIFIED_NOTICE": frozenset(),
    "OTHER_VIOLATION_TC": _words(
        """ADULT_SEXUAL_MATERIAL AGE_SPECIFIC_RESTRICTIONS GEOGRAPHICAL_REQUIREMENTS
GOODS_SERVICES_NOT_PERMITTED LANGUAGE_REQUIREMENTS NUDITY"""
    ),
    "PROTECTION_OF_MINORS": _words(
        """AGE_SPECIFIC_RESTRICTIONS_MINORS CHILD_SEXUAL_ABUSE_MATERIAL
CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE GROOMING_SEXUAL_ENTICEMENT_MINORS UNSAFE_CHALLENGES"""
    ),
    "RISK_FOR_PUBLIC_SECURITY": _words(
        "ILLEGAL_ORGANIZATIONS RISK_ENVIRONMENTAL_DAMAGE RISK_PUBLIC_HEALTH TERRORIST_CONTENT"
    ),
    "SCAMS_AND_FRAUD": _words(
        """IMPERSONATION_ACCOUNT_HIJACKING INAUTHENTIC_ACCOUNTS INAUTHENTIC_LISTINGS
INAUTHENTIC_USER_REVIEWS PHISHING PYRAMID_SCHEMES"""
    ),
    "SELF_HARM": _words("CONTENT_PROMOTING_EATING_DISORDERS SELF_MUTILATION SUICIDE"),
    "UNSAFE_AND_PROHIBITED_PRODUCTS": _words("PROHIBITED_PRODUCTS UNSAFE_PRODUCTS"),
    "VIOLENCE": _words("COORDINATED_HARM HUMAN_EXPLOITATION HUMAN_TRAFFICKING INCITEMENT_VIOLENCE_HATRED STALKING"),
}
CATEGORIES: Final = frozenset(f"STATEMENT_CATEGORY_{name}" for name in KEYWORDS)
#: One of these must be decided; each with the end date that belongs to it.
DECISIONS: Final = {
    "decision_visibility": "end_date_visibility_restriction",
    "decision_monetary": "end_date_monetary_restriction",
    "decision_provision": "end_date_service_restriction",
    "decision_account": "end_date_account_restriction",
}
REQUIRED: Final = (
    "decision_ground", "content_type", "category", "content_date", "application_date", "decision_facts",
    "source_type", "automated_detection", "automated_decision", "puid",
)  # fmt: skip
ONE_OF: Final = {
    "decision_monetary": MONETARIES,
    "decision_provision": PROVISIONS,
    "decision_account": ACCOUNTS,
    "account_type": ACCOUNT_TYPES,
    "decision_ground": frozenset({ILLEGAL, INCOMPATIBLE}),
    "incompatible_content_illegal": YES_NO,
    "category": CATEGORIES,
    "content_language": LANGUAGES,
    "source_type": SOURCES,
    "automated_detection": YES_NO,
    "automated_decision": AUTOMATED,
}
SOME_OF: Final = {
    "decision_visibility": VISIBILITIES,
    "content_type": CONTENT_TYPES,
    "category_addition": CATEGORIES,
    "territorial_scope": COUNTRIES,
}
LONGEST: Final = {
    "puid": 500,
    "decision_visibility_other": 500,
    "decision_monetary_other": 500,
    "decision_ground_reference_url": 500,
    "illegal_content_legal_ground": 500,
    "illegal_content_explanation": 2000,
    "incompatible_content_ground": 500,
    "incompatible_content_explanation": 2000,
    "content_type_other": 500,
    "category_specification_other": 500,
    "decision_facts": 5000,
    "source_identity": 500,
}
#: Earliest date by field; none may be after 2038-01-01.
DATES: Final = {
    "content_date": date(2000, 1, 1),
    "application_date": date(2020, 1, 1),
    **dict.fromkeys(DECISIONS.values(), date(2020, 1, 1)),
}
LATEST: Final = date(2038, 1, 1)
FIELDS: Final = frozenset(
    {*DECISIONS, *REQUIRED, *ONE_OF, *SOME_OF, *LONGEST, *DATES, "category_specification", "content_id"}
)
#: A field that another one's value asks for, and that must be left out without it.
CONDITIONAL: Final = (
    ("decision_ground", ILLEGAL, ("illegal_content_legal_ground", "illegal_content_explanation")),
    ("decision_ground", INCOMPATIBLE, ("incompatible_content_ground", "incompatible_content_explanation")),
    ("decision_visibility", "DECISION_VISIBILITY_OTHER", ("decision_visibility_other",)),
    ("decision_monetary", "DECISION_MONETARY_OTHER", ("decision_monetary_other",)),
    ("content_type", "CONTENT_TYPE_OTHER", ("content_type_other",)),
)
_NO_TEXTS: Final = ("puid", "decision_ground_reference_url")
_PERSONAL: Final = {
    "e-mail address": re.compile(r"[\w.+-]+@\w[\w-]*\.\w"),
    "phone number": re.compile(r"\+?\d(?:[ ()./-]?\d){8,}"),
    "link": re.compile(r"(?:https?://|www\.)\S", re.IGNORECASE),
    "handle": re.compile(r"(?:^|\s)@\w{3,}"),
}


def faults(statement: Mapping[str, Any]) -> list[str]:
    """What the database would refuse in a statement; empty where it would take it."""
    found = [f"{name}: no field of the schema" for name in statement if name not in FIELDS]
    found += [f"{name} is missing" for name in REQUIRED if statement.get(name) in (None, "", [])]
    if not any(statement.get(name) for name in DECISIONS):
        found.append("nothing is decided")
    for name, allowed in ONE_OF.items():
        if name in statement and statement[name] not in allowed:
            found.append(f"{name}: {statement[name]!r}")
    for name, allowed in SOME_OF.items():
        if name in statement:
            found += _list(name, statement[name], allowed)
    found += _keywords(statement)
    for name, longest in LONGEST.items():
        value = statement.get(name, "")
        if not isinstance(value, str):
            found.append(f"{name}: no text")
        elif len(value) > longest:
            found.append(f"{name}: {len(value)} characters")
    found += _conditions(statement)
    found += _dates(statement)
    if not re.fullmatch(r"[a-zA-Z0-9-_]+", str(statement.get("puid", ""))):
        found.append("puid: letters, digits, hyphens and underscores only")
    url = statement.get("decision_ground_reference_url")
    if url is not None and not re.match(r"https?://\w", url):
        found.append("decision_ground_reference_url: no URL")
    content_id = statement.get("content_id")
    if content_id is not None and not (
        set(content_id) == {"EAN-13"} and re.fullmatch(r"\d{13}", str(content_id["EAN-13"]))
    ):
        found.append("content_id: an EAN-13 alone")
    return found


def _list(name: str, value: object, allowed: Iterable[str]) -> list[str]:
    if not isinstance(value, list):
        return [f"{name}: no list"]
    found = [f"{name}: {each!r}" for each in value if each not in frozenset(allowed)]
    return [*found, *([f"{name}: said twice"] if len(set(map(str, value))) < len(value) else [])]


def _keywords(statement: Mapping[str, Any]) -> list[str]:
    keywords = statement.get("category_specification", [])
    names = [statement.get("category", ""), *statement.get("category_addition", [])]
    allowed = {"KEYWORD_OTHER"}
    for name in names:
        allowed |= {f"KEYWORD_{each}" for each in KEYWORDS.get(str(name).removeprefix("STATEMENT_CATEGORY_"), ())}
    found = _list("category_specification", keywords, allowed)
    if "category_specification_other" in statement and "KEYWORD_OTHER" not in keywords:
        found.append("category_specification_other: without KEYWORD_OTHER")
    return found


def _conditions(statement: Mapping[str, Any]) -> list[str]:
    found = []
    for field, value, dependent in CONDITIONAL:
        given = statement.get(field)
        asked = value in given if isinstance(given, list) else given == value
        for name in dependent:
            if asked and not statement.get(name):
                found.append(f"{name} is missing")
            if not asked and name in statement:
                found.append(f"{name}: not with this {field}")
    if statement.get("decision_ground") != INCOMPATIBLE and "incompatible_content_illegal" in statement:
        found.append("incompatible_content_illegal: not with this decision_ground")
    if statement.get("source_type") == "SOURCE_VOLUNTARY" and "source_identity" in statement:
        found.append("source_identity: nobody else was the source")
    return found


def _dates(statement: Mapping[str, Any]) -> list[str]:
    found, dates = [], {}
    for name, earliest in DATES.items():
        if name not in statement:
            continue
        text = str(statement[name])
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            found.append(f"{name}: {text!r}")
            continue
        try:
            dates[name] = date.fromisoformat(text)
        except ValueError:
            found.append(f"{name}: {text!r}")
            continue
        if not earliest <= dates[name] <= LATEST:
            found.append(f"{name}: {text} is out of range")
    for decision, name in DECISIONS.items():
        if name in statement and decision not in statement:
            found.append(f"{name}: without {decision}")
        if name in dates and "application_date" in dates and dates[name] < dates["application_date"]:
            found.append(f"{name}: before the application date")
    return found


def personal_data(statement: Mapping[str, Any]) -> list[str]:
    """What looks like personal data in a statement's texts (Article 24(5) of the DSA: there may be none)."""
    texts = {name: value for name, value in statement.items() if name in LONGEST and name not in _NO_TEXTS}
    return [
        f"{name}: {what}" for name, text in texts.items() for what, pattern in _PERSONAL.items() if pattern.search(text)
    ]

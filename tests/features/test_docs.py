"""docs/features.md is what the features are."""

import re
from itertools import product
from pathlib import Path

from features.docs import render
from features.registry import FEATURES
from features.windows import WINDOWS

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<rest>.*) \|$")


def test_page_is_up_to_date() -> None:
    """The page in the repository is the generated one (`shopwarden features docs > docs/features.md`)."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_the_page_defines_every_feature_once() -> None:
    """Each feature has one row, its own or that of its windows, under its entity, with all columns filled."""
    found: list[tuple[str, str]] = []
    entity = ""
    for line in render().splitlines():
        if line.startswith("## "):
            entity = line[3:].lower()
        row = ROW.match(line)
        if row and entity in ("merchant", "order", "listing", "creator"):
            cells = row["rest"].split(" | ")
            assert len(cells) == 4 and all(cells), line
            names = [row["name"].replace("{W}", str(length)) for length in WINDOWS]
            found += product([entity], dict.fromkeys(names))
    assert sorted(found) == sorted((feature.entity, name) for name, feature in FEATURES.items())


def test_the_prose_names_features_that_exist() -> None:
    """Names in the text above the tables are those of features, inputs or commands."""
    head = render().partition("## Merchant")[0]
    known = {name.replace(f"_{WINDOWS[0]}d", "_{W}d") for name in FEATURES} | set(FEATURES)
    inputs = {"ship_by", "deliver_by", "event_id", "registered_at", "_shrunk", "_lower", "versions.features"}
    inputs |= {"not_received", "not_as_described", "damaged", "wrong_item", "counterfeit"}
    for name in re.findall(r"`([^`]+)`", re.sub(r"<!--.*-->", "", head)):
        assert name in known | inputs or f"{name}_{{W}}d" in known, name

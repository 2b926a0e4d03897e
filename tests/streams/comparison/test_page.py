import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from config.policies import PACKAGED
from detectors.comparison.causes import Causes
from detectors.comparison.comparison import Background, Comparison, compare
from detectors.comparison.published import Published
from detectors.comparison.quality import Known
from streams.comparison.page import html_page
from tests.detectors.comparison.made import START, decision, published, restriction, take
from tests.detectors.comparison.test_policy_changes import compiled
from tests.detectors.comparison.test_trade import listing, order, traded

VOID = {"meta", "input", "br"}
NASTY = "<script>alert(1)</script>\x1b[31m"


class Reader(HTMLParser):
    """Checks that tags close in order, and collects ids, links and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name in ("src", "srcset", "data", "action"):
                self.fetched.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """A tag ends: the one that was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def comparison() -> Comparison:
    """Two runs with a gap, a silence and a merchant with a name that is meant to do harm."""
    runs = Published(), Published()
    for run in runs:
        for number, level in enumerate(("high", "low")):
            reason = {"code": "late-dispatch", "text": NASTY, "weight": 0.4, "observed": 0.25}
            about = {"kind": "merchant", "id": "m1"}
            body = {"merchant_id": "m1", "subject": about, "level": level, "reasons": [reason]}
            take(run, "risk.assessed", f"a{number}", START + number * 86_400_000, body)
    baseline, candidate = runs
    published(decision(0), restriction(3), decision(1, merchant_id=NASTY, facts=NASTY), onto=baseline)
    published(decision(0), restriction(3, 14), decision(6, merchant_id="m3", rule="disputes"), onto=candidate)
    gap = {"topic": "orders", "partition": 1, "first_offset": 5, "last_offset": 90, "why": "expired", "mode": "live"}
    take(baseline, "gap.detected", "g", START, gap)
    for number in range(40):
        take(candidate, "drift.detected", f"d{number}", START + 5 * 86_400_000 + number * 3_600_000, {})
    same = compiled(PACKAGED)
    background = Background(
        trade=traded(listing("l1", "home/decor"), order(4, 1), order(12, 2)),
        known=Known({"m3": ("bust_out", START)}),
        causes=Causes(same, same),
    )
    return compare(baseline, candidate, background)


def test_the_page_is_whole_and_needs_nothing_else(comparison: Comparison) -> None:
    """Tags close, ids are unique, links lead to what is there, and nothing would be fetched."""
    page = html_page(comparison)
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.fetched == []
    assert reader.links and all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert reader.tags.count("script") == 1
    assert "http://" not in page and "https://" not in page
    assert "default-src 'none'" in page


def test_words_from_outside_are_made_safe(comparison: Comparison) -> None:
    """Neither a tag nor a control character gets through."""
    page = html_page(comparison)
    assert "<script>alert" not in page and "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_three_questions_have_answers(comparison: Comparison) -> None:
    """What would have been done, what was missed, and why somebody got a decision."""
    page = html_page(comparison)
    assert "What would the candidate have done?" in page and ">1</b>decisions gained" in page
    assert "orders/1" in page and "expired" in page and "decisions that were never taken" in page
    assert "Why it differs: the baseline was silent then" in page and "observed 0.25" in page


def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison) -> None:
    """Nothing of it depends on the hour or on chance."""
    assert html_page(comparison) == html_page(comparison)


@pytest.mark.slow
def test_a_browser_opens_it_from_disk(comparison: Comparison, chromium: str, tmp_path: Path) -> None:
    """Its script runs and opens the merchant that the address names, and the console has nothing to complain of."""
    (tmp_path / "c.html").write_text(html_page(comparison), encoding="utf-8")
    result = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
            f"file://{tmp_path / 'c.html'}#merchant:m1",
        ],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert 'id="merchant:m1"' in result.stdout
    opened = result.stdout.split('id="merchant:m1"')[1].split(">")[0]
    assert "open" in opened
    assert "<polyline" in result.stdout and "<path" in result.stdout
    assert "CONSOLE" not in result.stderr, result.stderr

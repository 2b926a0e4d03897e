"""The documentation as a site: every link and anchor leads somewhere, and nothing is fetched from a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a warning (a broken link, a page that the index leaves out) fails it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    """Each page of docs/ is a page of the site, and the first one leads to the tutorial."""
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").with_suffix("")
        folder = place.parent if place.name == "README" else place
        assert (site / folder / "index.html").is_file(), page
    assert "tutorial/" in (site / "index.html").read_text(encoding="utf-8")


def test_no_asset_comes_from_a_network(site: Path) -> None:
    """Pages and style sheets load what lies beside them alone."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(https?:)?//", text)
        loaded += re.findall(r"<link\b[^>]*\bhref=\"?(?:https?:)?//", text)
        assert loaded == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet

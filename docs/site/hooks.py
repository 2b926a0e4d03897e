"""Hooks of mkdocs.yml: the navigation comes from docs/README.md, and links out of docs/ become plain text.

The pages are written to be read in the repository as well. There, links lead to source files and to folders; the site
has neither.
"""

import re
from pathlib import Path
from typing import Any

_SECTION = re.compile(r"^## (.+)$")
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\)")
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """The navigation: a section for each heading of the index, a page for each of its entries, a folder as a whole."""
    docs = Path(config.docs_dir)
    navigation: list[dict[str, Any]] = [{"Shopwarden": "README.md"}]
    for line in (docs / "README.md").read_text(encoding="utf-8").splitlines():
        if section := _SECTION.match(line):
            navigation.append({section[1]: []})
        elif entry := _ENTRY.match(line):
            title, target = entry[1], entry[2].rstrip("/")
            place = navigation[-1][next(iter(navigation[-1]))]
            if (docs / target).is_dir():
                pages = sorted((docs / target).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
                place.append({title: [_entry(docs, page) for page in pages]})
            else:
                # An entry that is called by its file has the title of its page.
                place.append(target if title.endswith(".md") else {title: target})
    config.nav = navigation
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Links to files that are not part of the site become their words alone; to a folder, its first page."""
    docs = Path(config.docs_dir).resolve()
    here = (docs / page.file.src_uri).parent

    def within(link: "re.Match[str]") -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        path = (here / target).resolve()
        if not path.is_relative_to(docs):
            return words
        if path.is_dir():
            return f"[{words}]({target.rstrip('/')}/README.md)" if (path / "README.md").exists() else words
        return f"[{words}]({target}{anchor})"

    return _LINK.sub(within, markdown)


def _entry(docs: Path, page: Path) -> dict[str, str]:
    found = _TITLE.search(page.read_text(encoding="utf-8"))
    return {found[1] if found else page.stem: page.relative_to(docs).as_posix()}

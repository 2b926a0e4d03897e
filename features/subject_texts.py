"""Words about a subject that reasons may quote beside its features: ``{category_suggested}`` in a rule's reason.

Sellers write them, and reasons become public statements: what looks like a contact is not quoted.
"""

from collections.abc import Callable
from typing import Final

from features.contact_text import PATTERNS
from features.feature import Context
from features.text import fold


def _category_suggested(context: Context) -> str | None:
    return None if context.listing is None else quotable(context.listing.category_suggested)


def quotable(text: str) -> str | None:
    """A text as it may be quoted in public; None if it is empty, or holds an address, a number, a link or a handle."""
    folded = fold(text)
    return None if not text or any(found(folded) for found in PATTERNS.values()) else text


#: Each text by the name that reasons know it by; ``None``: not known.
TEXTS: Final[dict[str, Callable[[Context], str | None]]] = {"category_suggested": _category_suggested}

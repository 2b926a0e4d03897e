"""Words about a subject that reasons may quote beside its features: ``{category_suggested}`` in a rule's reason."""

from collections.abc import Callable
from typing import Final

from features.feature import Context


def _category_suggested(context: Context) -> str | None:
    return None if context.listing is None else context.listing.category_suggested or None


#: Each text by the name that reasons know it by; ``None``: not known.
TEXTS: Final[dict[str, Callable[[Context], str | None]]] = {"category_suggested": _category_suggested}

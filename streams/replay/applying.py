"""Applying a flush where nothing is stored."""

from typing import Final

from detectors.apply import Core
from detectors.flush import Emit, Flush
from streams.evaluation.archive_run import forget_touched

#: Records that are marked for the next checkpoint before they are forgotten.
_FORGET_FROM: Final = 20_000


def apply_and_forget(core: Core, flush: Flush) -> list[Emit]:
    """Apply a flush. Nothing is stored, so now and then what is marked for the next checkpoint is forgotten."""
    emits = core.apply(flush)
    state = core.state
    if len(state.touched_orders) + len(state.touched_merchants) + len(state.touched_listings) >= _FORGET_FROM:
        forget_touched(state)
        core.models.examples.take()
    return emits

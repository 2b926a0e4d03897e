"""How long until something happens, where for some it has not happened yet."""

from collections.abc import Sequence


def median_time(times: Sequence[float], happened: Sequence[bool]) -> float | None:
    """Median time to an event by the product-limit estimate (E. L. Kaplan and P. Meier: JASA 53, 1958).

    Parameters
    ----------
    times
        For each subject the time until the event, or until it was watched no longer.
    happened
        Whether the event came.

    Returns
    -------
    The least time by which it has happened to half of the subjects, in the unit given; ``None`` if it never has.
    """
    waiting = len(times)
    staying = 1.0
    ordered = sorted(zip(times, happened, strict=True))
    at = 0
    while at < len(ordered):
        time = ordered[at][0]
        same = [event for each, event in ordered[at:] if each == time]
        staying *= 1.0 - sum(same) / waiting
        if staying <= 0.5 + 1e-12:
            return time
        waiting -= len(same)
        at += len(same)
    return None

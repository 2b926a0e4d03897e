"""Which acts take a second person.

Those that end or restore a livelihood (suspending, closing, and lifting either), and those that set a decision aside
where more money is at risk than one person should answer for.
"""

from typing import Final

from msgspec import Struct

from streams.console.acts.act import Act

#: Actions that end a livelihood.
SEVERE: Final = frozenset({"suspend_merchant", "suspend_creator", "close_merchant"})


class Decided(Struct, frozen=True):
    """What counts here of a decision: its action, its state in the index, and dollars at risk with its subject."""

    action: str
    state: str
    at_risk: float


def why_second(act: Act, decision: Decided | None, above: float) -> str | None:
    """Why an act takes a second person; None if one is enough.

    Parameters
    ----------
    decision
        What it is about, for acts about a decision.
    above
        Dollars at risk from above which setting a decision aside takes two.
    """
    if act.kind == "take":
        return f"{act.action} is severe" if act.action in SEVERE else None
    if decision is None:
        return None
    if act.kind == "verdict" and act.verdict == "violation":
        carried_out = decision.action in SEVERE and decision.state == "waiting"
        return f"it carries out {decision.action}" if carried_out else None
    undone = (
        act.kind == "lift"
        or (act.kind == "verdict" and act.verdict == "clean")
        or (act.kind == "appeal_decision" and act.outcome == "overturned")
    )
    if not undone:
        return None
    if decision.action in SEVERE and decision.state == "in_force":
        return f"it lifts {decision.action}"
    if decision.at_risk > above:
        return f"{decision.at_risk:,.0f} dollars are at risk, and above {above:,.0f} it takes two"
    return None

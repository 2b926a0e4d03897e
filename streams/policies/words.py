"""Publications and roll-outs in words, for the terminal."""

from streams.policies.publication import EVERYBODY, Force, KnownPublication, Publication


def state_words(each: KnownPublication, force: Force) -> str:
    """What a publication is now, for the history."""
    if each.policies is None:
        return "cannot be used"
    if each is force.base:
        return "in force"
    if each is force.latest and force.rollout is not None:
        return f"in force for {force.rollout.percent:g} %"
    return ""


def act_words(made: Publication) -> str:
    """What a publication was made for, in words for the history."""
    match made.act:
        case "roll_out":
            return f" (rolled out to {made.percent:g} %)"
        case "widen":
            return f" (widened to {made.percent:g} %)"
        case "promote":
            return " (promoted to everybody)"
        case "roll_back" if made.rolls_back_to is None:
            return " (roll-out ended)"
        case _:
            return f" (back to {made.rolls_back_to})" if made.rolls_back_to else ""


def question(publication: Publication) -> str:
    """What is asked before it is published."""
    if publication.percent >= EVERYBODY:
        return f"Put version {publication.version} in force in all workers?"
    if publication.percent > 0:
        return f"Let version {publication.version} judge {publication.percent:g} % of the merchants and creators?"
    return f"Let version {publication.version} judge nobody any more?"

"""What each decision that waits is worth looking at: expected harm.

Expected harm = probability x dollars at risk, as of the last events that were read.

- The probability is that of the assessment that the decision rests on; else the party's last published one; else the
  least that the decision's severity stands for (``levels`` of the policies).
- At risk is the order's total, for an order; else the turnover of the last 30 days of event time, of the listing, of
  the merchant, or of what the creator drove: what can still be claimed, refunded or not be delivered.

Turnover is weighed in dollars by the rates of the remedies' table; what is in a currency that it does not name counts
as dollars and cents, so that it is not lost from sight.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from detectors.policy import PolicySet
from streams.console.index.inputs import DAY

#: Puts a question to the index: rows of it.
Ask: TypeAlias = Callable[[str, Sequence[Any]], list[Any]]
WINDOW_DAYS: Final = 30
#: Waiting decisions weighed in one go; the others keep what they had.
_MOST: Final = 2_000
_CENTS: Final = 100.0


class Harm:
    """Weighs decisions that wait.

    Parameters
    ----------
    units
        Minor units by currency that are worth a dollar.
    least
        The least probability of each severity, 0 to 1.
    """

    def __init__(self, units: Mapping[str, float], least: Mapping[str, float]) -> None:
        self._units = units
        self._least = least

    @classmethod
    def by(cls, policies: PolicySet) -> "Harm":
        """By the rates and levels of a policy set."""
        scale = policies.probability_levels
        least: dict[str, float] = dict(zip(scale.levels, (0.0, *scale.cutoffs), strict=True))
        return cls({} if policies.remedies is None else policies.remedies.units, least)

    def weigh(self, connection: sqlite3.Connection, now: int) -> int:
        """Weigh all decisions that wait, the longest unweighed first; returns how many changed.

        Parameters
        ----------
        now
            Event time, ms.
        """
        rows = connection.execute(_WAITING, (_MOST,)).fetchall()
        changes = []
        for identifier, party, kind, subject, severity, assessed, known, before in rows:
            probability = assessed if assessed is not None else known
            if probability is None:
                probability = self._least.get(severity, 0.0)
            at_risk = round(self.at_risk(_asking(connection), party, kind, subject, now), 2)
            harm = round(probability * at_risk, 2)
            if harm != before:
                changes.append((probability, at_risk, harm, identifier))
        connection.executemany("UPDATE decision SET probability = ?, at_risk = ?, harm = ? WHERE id = ?", changes)
        return len(changes)

    def at_risk(self, ask: Ask, party: int, kind: str, subject: str, now: int) -> float:
        """Dollars at risk with a subject; ``ask`` puts a question to the index."""
        if kind == "order":
            return sum(self.dollars(amount, currency) for amount, currency in ask(_ORDER, (subject, party)))
        listing = subject if kind == "listing" else ""
        sums = ask(_SALES, (party, listing, now // DAY - WINDOW_DAYS))
        return sum(self.dollars(amount, currency) for currency, amount in sums)

    def dollars(self, amount: int, currency: str) -> float:
        """What an amount in minor units is worth."""
        return amount / self._units.get(currency, _CENTS)


def _asking(connection: sqlite3.Connection) -> Ask:
    return lambda question, values: connection.execute(question, values).fetchall()


_WAITING: Final = (
    "SELECT d.id, d.party, d.subject_kind, d.subject, d.severity, a.probability, p.probability, d.harm"
    " FROM decision d JOIN party p ON p.id = d.party LEFT JOIN assessment a ON a.name = d.assessment"
    " WHERE d.state = 'waiting' ORDER BY d.harm IS NOT NULL, d.harm DESC LIMIT ?"
)
_ORDER: Final = (
    "SELECT amount, currency FROM event WHERE subject = ? AND party = ? AND type = 'order.created'"
    " AND amount IS NOT NULL LIMIT 1"
)
_SALES: Final = "SELECT currency, sum(amount) FROM sales WHERE party = ? AND listing = ? AND day > ? GROUP BY currency"

"""Sales and turnover in any twelve months of the last twenty-four: whom the US INFORM Consumers Act is about.

A high-volume third party seller has, "in any continuous 12-month period during the previous 24 months", at least 200
discrete sales and 5,000 dollars of gross revenue (15 U.S.C. 45f(f)(3)). Both must be met by the same twelve months, and
that they were met is known for as long as those months lie within the last twenty-four.

Definitions. Days are UTC. A sale belongs to the day on which it was placed, however late it is heard of; it counts
once, with what the buyer paid, unless it was cancelled before it was shipped; refunds change nothing, as revenue is
gross. Twelve months that end on a day begin on the first day whose date a year later is after it; a year after 29
February is 1 March. Whether twelve months that ended on some day in the past met a threshold is judged by what is known
now, so a late order or cancellation changes it.

Kept are the sums over the twelve months up to now and, by day, what they and corrections of them rest on: for two
years, or for a merchant with many more sales than any threshold asks only back to where what can't change any more
exceeds it twice (the sums are then of these days alone). Of a threshold only the last day needs to be known on which
the twelve months that ended on it met it: all other periods that did begin earlier.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, TypeAlias
from zlib import crc32

from msgspec import Struct

#: Days of the latest sales that are kept as numbers: corrections are nearly always of these.
RECENT_DAYS: Final = 8
#: Age in days from which on a sale is taken as settled: shipped or cancelled.
SETTLED_DAYS: Final = 90
#: A merchant is beyond doubt with so many times what the highest threshold asks, in settled sales alone.
BEYOND_DOUBT: Final = 2
#: Days between two looks at whether it is.
_TRIM_EVERY: Final = 30
_SHORTEST_YEAR: Final = 365
_EPOCH: Final = date(1970, 1, 1).toordinal()

#: Sales and turnover (minor units) of a threshold.
Threshold: TypeAlias = tuple[int, int]
#: Day, sales, turnover.
Entry: TypeAlias = tuple[int, int, int]


@lru_cache(maxsize=4096)
def year_after(day: int, years: int = 1) -> int:
    """The day with the same date so many years later; 1 March for a 29 February that there isn't."""
    at = date.fromordinal(day + _EPOCH)
    leap_day = (at.month, at.day) == (2, 29)
    if leap_day and not _is_leap(at.year + years):
        return date(at.year + years, 3, 1).toordinal() - _EPOCH
    return at.replace(year=at.year + years).toordinal() - _EPOCH


@lru_cache(maxsize=4096)
def year_before(day: int, years: int = 1) -> int:
    """First day of the twelve months (or so many years) that end on a day."""
    # At most one day off, around the end of February.
    first = day - 366 * years
    while year_after(first, years) <= day:
        first += 1
    return first


def day_text(day: int) -> str:
    """A day as ``2026-11-29``."""
    return date.fromordinal(day + _EPOCH).isoformat()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class Thresholds(Struct, frozen=True):
    """What is looked for, the least sales among it, and a number by which it is known from other thresholds."""

    each: tuple[Threshold, ...]
    least: int
    basis: int

    @staticmethod
    def of(each: Sequence[Threshold]) -> "Thresholds":
        """These thresholds."""
        least = min((sales for sales, _ in each), default=0)
        return Thresholds(tuple(each), least, 1 + crc32(repr([*each]).encode()) % 0xFFFF)


class DayLog(Struct, array_like=True, gc=False):
    """Days in order as text, read from its front and written at its back: ``3:4598`` is a sale three days after the
    entry before, ``1:2,9100`` two of a day later. ``base`` is the day before the first entry, as far as that goes,
    ``last`` that of the last.
    """

    base: int = 0
    last: int = 0
    text: str = ""

    def append(self, entry: Entry) -> None:
        """Add a day after all others."""
        day, sales, turnover = entry
        if not self.text:
            self.base = self.last = day - 1
        step = day - self.last
        self.text += f"{step}:{turnover} " if sales == 1 else f"{step}:{sales},{turnover} "
        self.last = day

    def first(self) -> Entry | None:
        """The earliest day."""
        return _parse(self.text[: self.text.index(" ")], self.base) if self.text else None

    def pop(self) -> None:
        """Leave the earliest day out."""
        head, _, self.text = self.text.partition(" ")
        self.base += int(head[: head.index(":")])

    def __iter__(self) -> Iterator[Entry]:
        day = self.base
        for part in self.text.split():
            entry = _parse(part, day)
            day = entry[0]
            yield entry


def _parse(part: str, before: int) -> Entry:
    step, _, counts = part.partition(":")
    sales, comma, turnover = counts.partition(",")
    return (before + int(step), int(sales), int(turnover)) if comma else (before + int(step), 1, int(sales))


class Sales(
    Struct,
    omit_defaults=True,
    rename={
        "day": "d",
        "first": "o",
        "count": "n",
        "revenue": "a",
        "recent": "r",
        "year": "y",
        "past": "p",
        "held": "h",
        "basis": "b",
        "trimmed": "t",
        "dropped": "f",
    },
):
    """A merchant's sales by day, and their sums over the twelve months that end on ``day``."""

    #: Day of the latest sale, or up to which the sums were moved on; and one not after the first within the months.
    day: int = 0
    first: int = 0
    count: int = 0
    revenue: int = 0
    #: The latest days with sales, in order: day, sales, turnover of each.
    recent: list[int] = []
    #: Days before those: within the twelve months, and within the twelve before.
    year: DayLog | None = None
    past: DayLog | None = None
    #: By threshold, the last day on which the twelve months that ended on it met it; 0: none did.
    held: list[int] = []
    #: Which thresholds ``held`` is of.
    basis: int = 0
    #: Day on which was last looked whether anything can be dropped.
    trimmed: int = 0
    #: What was before this day was dropped.
    dropped: int = 0

    # -- what happens -------------------------------------------------------------------------------------------------

    def add(self, day: int, sales: int, turnover: int, thresholds: Thresholds) -> bool:
        """Count sales of a day, or take them back (negative); true if a threshold may be met that was not before."""
        renewed = self.basis != thresholds.basis
        if day > self.day or renewed:
            self.advance(max(day, self.day), thresholds)
        today = self.day
        recent = self.recent
        if recent and recent[-3] == day:
            recent[-2] += sales
            recent[-1] += turnover
        elif day == today:
            self._open(day, sales, turnover)
        elif day < max(self.dropped, year_before(today, 2)):
            return False
        elif day >= year_before(today) and (not recent or recent[-3] < day):
            self._open(day, sales, turnover)
        else:
            self._correct(day, sales, turnover)
        if day == today and sales > 0:
            # Nearly always: what was met still is.
            self.count = count = self.count + sales
            self.revenue += turnover
            return (count >= thresholds.least and self._hold(thresholds)) or renewed
        return self._recount(day, sales, turnover, thresholds) or renewed

    def _hold(self, thresholds: Thresholds) -> bool:
        """Note which thresholds are met today; true if that is news."""
        news = False
        today = self.day
        held = self.held
        for index, (sales, turnover) in enumerate(thresholds.each):
            if held[index] != today and self.count >= sales and self.revenue >= turnover:
                held[index] = today
                news = True
        return news

    def _recount(self, day: int, sales: int, turnover: int, thresholds: Thresholds) -> bool:
        """What months up to some day in the past met may change with late sales, and with those taken back; true if a
        threshold was met that was not before.
        """
        held = list(self.held)
        before = self.count, self.revenue
        if day >= year_before(self.day):
            self.count += sales
            self.revenue += turnover
            self.first = min(self.first, day)
        for index, threshold in enumerate(thresholds.each):
            if self.count >= threshold[0] and self.revenue >= threshold[1]:
                self.held[index] = self.day
            elif sales > 0 or day <= self.held[index] or (before[0] >= threshold[0] and before[1] >= threshold[1]):
                self.held[index] = last_met(self.entries(), self.day, threshold)
        return any(after > earlier for after, earlier in zip(self.held, held, strict=True))

    def advance(self, day: int, thresholds: Thresholds) -> None:
        """Move the sums on to a later day."""
        if self.basis != thresholds.basis:
            self.basis = thresholds.basis
            kept = self.entries()
            self.held = [last_met(kept, self.day, threshold) for threshold in thresholds.each]
        if day <= self.day:
            return
        if self.count and day - self.first >= _SHORTEST_YEAR:
            self._move_on(year_before(day), thresholds)
        self.day = day
        if self.past is not None and day - self.past.base >= 2 * _SHORTEST_YEAR:
            self._forget(year_before(day, 2))
        if self.count >= thresholds.least:
            self._hold(thresholds)
            if day >= self.trimmed + _TRIM_EVERY:
                self._trim(thresholds)

    def _move_on(self, first_day: int, thresholds: Thresholds) -> None:
        """Let the days before ``first_day`` leave the twelve months, one after the other."""
        while (entry := self._first()) is not None and entry[0] < first_day:
            leaves_after = year_after(entry[0]) - 1
            for index, threshold in enumerate(thresholds.each):
                if self.count >= threshold[0] and self.revenue >= threshold[1]:
                    self.held[index] = leaves_after
            self._retire(entry)
        if entry is not None:
            self.first = entry[0]

    # -- what is known ------------------------------------------------------------------------------------------------

    def meets(self, threshold: int, day: int) -> bool:
        """Whether any twelve months within the twenty-four that end on ``day``, not before that of the sums, met the
        threshold of that number.
        """
        held = self.held[threshold] if threshold < len(self.held) else 0
        return held > 0 and year_before(held) >= year_before(day, 2)

    def meets_until(self, threshold: Threshold) -> int:
        """Last day on which that will be so if nothing more is sold, given that it is so now."""
        met = last_met(self.entries(), year_after(self.day), threshold)
        return year_after(year_before(met), 2) - 1

    def entries(self) -> list[Entry]:
        """All days that are kept, in order."""
        kept = [*(self.past or ()), *(self.year or ())]
        recent = self.recent
        kept += [(recent[at], recent[at + 1], recent[at + 2]) for at in range(0, len(recent), 3)]
        return kept

    # -- the days -----------------------------------------------------------------------------------------------------

    def _open(self, day: int, sales: int, turnover: int) -> None:
        """Begin a day after all others."""
        if not self.count:
            self.first = day
        recent = self.recent
        recent += [day, sales, turnover]
        if len(recent) > 3 * RECENT_DAYS:
            self._shelve()

    def _shelve(self) -> None:
        """Put the earliest of the recent days to the others of the year."""
        day, sales, turnover = self.recent[:3]
        del self.recent[:3]
        if sales or turnover:
            if self.year is None:
                self.year = DayLog()
            self.year.append((day, sales, turnover))

    def _first(self) -> Entry | None:
        """The earliest day within the twelve months."""
        if self.year is not None:
            return self.year.first()
        return (self.recent[0], self.recent[1], self.recent[2]) if self.recent else None

    def _retire(self, entry: Entry) -> None:
        """The earliest day leaves the twelve months."""
        if self.year is None:
            del self.recent[:3]
        else:
            self.year.pop()
            if not self.year.text:
                self.year = None
        self.count -= entry[1]
        self.revenue -= entry[2]
        if entry[1] or entry[2]:
            if self.past is None:
                self.past = DayLog()
            self.past.append(entry)

    def _forget(self, first_day: int) -> None:
        """Leave out what is before a day."""
        past = self.past
        while past is not None and (entry := past.first()) is not None and entry[0] < first_day:
            past.pop()
        if past is not None and not past.text:
            self.past = None

    def _correct(self, day: int, sales: int, turnover: int) -> None:
        """Change a day before the latest."""
        recent = self.recent
        for at in range(len(recent) - 3, -1, -3):
            if recent[at] == day:
                recent[at + 1] += sales
                recent[at + 2] += turnover
                return
            if recent[at] < day:
                recent[at + 3 : at + 3] = [day, sales, turnover]
                return
        by_day = {entry[0]: entry for entry in self.entries()}
        _, known, worth = by_day.get(day, (day, 0, 0))
        by_day[day] = day, known + sales, worth + turnover
        self._keep([by_day[each] for each in sorted(by_day)])

    def _keep(self, entries: Sequence[Entry]) -> None:
        """Put these days in the place of all that are kept."""
        first_day = year_before(self.day)
        self.past = self.year = None
        inside = [entry for entry in entries if entry[0] >= first_day]
        for entry in entries:
            if entry[0] < first_day and (entry[1] or entry[2]):
                if self.past is None:
                    self.past = DayLog()
                self.past.append(entry)
        self.recent = [number for entry in inside for number in entry]
        while len(self.recent) > 3 * RECENT_DAYS:
            self._shelve()

    def _trim(self, thresholds: Thresholds) -> None:
        """Drop what cannot matter any more: days before those whose settled sales exceed every threshold by far.

        Whatever is still to come, the last twelve months that met a threshold begin no earlier than these.
        """
        self.trimmed = self.day
        if not thresholds.each:
            return
        enough = [BEYOND_DOUBT * max(threshold[part] for threshold in thresholds.each) for part in (0, 1)]
        if self.count < enough[0] or self.revenue < enough[1]:
            return
        entries = self.entries()
        settled = self.day - SETTLED_DAYS
        sales = turnover = 0
        for number in range(len(entries) - 1, -1, -1):
            day = entries[number][0]
            if day > settled:
                continue
            sales += entries[number][1]
            turnover += entries[number][2]
            if sales >= enough[0] and turnover >= enough[1]:
                if day >= year_before(self.day):
                    self.dropped = day
                    self._keep(entries[number:])
                    self.count = sum(entry[1] for entry in entries[number:])
                    self.revenue = sum(entry[2] for entry in entries[number:])
                return


def last_met(entries: Sequence[Entry], today: int, threshold: Threshold) -> int:
    """Last day, up to today, on which the twelve months that ended on it met a threshold; 0 if none did.

    ``entries`` are all days with sales, in order.
    """
    met = count = revenue = first = 0
    for number in range(len(entries) + 1):
        day = entries[number][0] if number < len(entries) else today
        while first < number and (left := year_after(entries[first][0])) <= day:
            if count >= threshold[0] and revenue >= threshold[1]:
                met = left - 1
            count -= entries[first][1]
            revenue -= entries[first][2]
            first += 1
        if number < len(entries):
            count += entries[number][1]
            revenue += entries[number][2]
        if count >= threshold[0] and revenue >= threshold[1]:
            met = day
    return met

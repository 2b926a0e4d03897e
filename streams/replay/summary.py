"""What a replay came to, in figures."""

from collections import Counter
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from streams.archive import ArchiveRecord
from streams.replay.plan import Job, KafkaInput, Plan
from streams.replay.progress import Reached


class _Body(Struct):
    level: str | None = None
    action: str | None = None


#: Other events may name the action that they are about.
_DECIDED: Final = b"shopwarden.enforcement.decided.v1"
_read = msgspec.json.Decoder(_Body).decode


class Summary(Struct):
    """Outputs by kind, assessments by level and decisions by action; merchants with any of these."""

    outputs: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    merchants: set[bytes | None] = field(default_factory=set)
    #: Whom or what anything was published about.
    keys: set[bytes | None] = field(default_factory=set)
    reached: Reached = Reached()
    #: In all, and from the first record applied to the end.
    seconds: float = 0.0
    applying_seconds: float = 0.0

    def add(self, record: ArchiveRecord) -> None:
        """Count an output."""
        self.keys.add(record.key)
        kind = next((value for name, value in record.headers if name == "ce_type"), None)
        if kind is None or record.topic == "governance-dead-letters":
            self.outputs[record.topic] += 1
            return
        self.outputs[kind.decode()] += 1
        body = _read(record.value or b"{}")
        if body.action is not None and kind == _DECIDED:
            self.actions[body.action] += 1
            self.merchants.add(record.key)
        elif body.level is not None:
            self.levels[body.level] += 1
            self.merchants.add(record.key)

    def warnings(self, job: Job) -> list[str]:
        """What may not be as it was meant."""
        plan, found = job.plan, []
        if self.reached.late:
            found.append(
                f"{self.reached.late:,} records lay more than an hour too late in the archive and were taken where "
                "they stood; from Kafka they would be applied earlier."
            )
        if isinstance(job.input, KafkaInput) and job.input.lost and plan.order == "event-time":
            places = [f"{topic}/{number} begins at offset {first:,}" for topic, number, first in job.input.lost]
            more = f" and {len(places) - 3:,} more" if len(places) > 3 else ""
            found.append(
                f"what was before is no longer there, and missing from the state: {', '.join(places[:3])}{more}."
            )
        if plan.start is not None and self.reached.moment <= plan.start:
            found.append("all records are from before --from, so nothing was published.")
        unheard = sorted(name for name in plan.merchants or () if name.encode() not in self.keys)
        if unheard:
            shown = ", ".join(unheard[:5]) + (", …" if len(unheard) > 5 else "")
            found.append(
                f"nothing was published about {len(unheard):,} of {len(plan.merchants or ()):,} merchants: {shown}"
            )
        return found

    def lines(self, plan: Plan) -> list[str]:
        """For people."""
        rate = self.reached.records / max(self.applying_seconds, 1e-9)
        records = f"{self.reached.records:,} records, {plan.shards} shard(s)"
        found = [f"run {plan.run}: {records}, in {self.seconds:.1f} s ({rate:,.0f}/s)"]
        for title, counts in (("", self.outputs), ("assessed as ", self.levels), ("decided: ", self.actions)):
            found += [f"{count:9,}  {title}{name}" for name, count in sorted(counts.items())]
        found.append(f"{len(self.merchants):9,}  merchants assessed or acted upon")
        return found

    def as_json(self, plan: Plan) -> str:
        """For programs."""
        figures: dict[str, Any] = {
            "run": plan.run,
            "records": self.reached.records,
            "late": self.reached.late,
            "shards": plan.shards,
            "seconds": round(self.seconds, 3),
            "applying_seconds": round(self.applying_seconds, 3),
            "outputs": dict(sorted(self.outputs.items())),
            "levels": dict(sorted(self.levels.items())),
            "actions": dict(sorted(self.actions.items())),
            "merchants": len(self.merchants),
        }
        return msgspec.json.format(msgspec.json.encode(figures), indent=2).decode()

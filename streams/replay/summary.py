"""What a replay came to, in figures."""

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct, field

from streams.archive import ArchiveRecord
from streams.replay.plan import Plan
from streams.replay.progress import Reached


class _Body(Struct):
    level: str | None = None
    action: str | None = None


_read = msgspec.json.Decoder(_Body).decode


class Summary(Struct):
    """Outputs by kind, assessments by level and decisions by action; merchants with any of these."""

    outputs: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    merchants: set[bytes | None] = field(default_factory=set)
    reached: Reached = Reached()
    #: In all, and from the first record applied to the end.
    seconds: float = 0.0
    applying_seconds: float = 0.0

    def add(self, record: ArchiveRecord) -> None:
        """Count an output."""
        kind = next((value for name, value in record.headers if name == "ce_type"), None)
        if kind is None or record.topic == "governance-dead-letters":
            self.outputs[record.topic] += 1
            return
        self.outputs[kind.decode()] += 1
        body = _read(record.value or b"{}")
        if body.action is not None:
            self.actions[body.action] += 1
            self.merchants.add(record.key)
        elif body.level is not None:
            self.levels[body.level] += 1
            self.merchants.add(record.key)

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

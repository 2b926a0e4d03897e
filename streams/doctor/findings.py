"""What a check of the doctor found, and running checks so that none can hang the command."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and, unless it is ok, what to do."""

    status: Status
    area: str
    text: str
    advice: str = ""


#: A check yields its findings as it goes, so that what it had found is there even if it hangs then.
Check: TypeAlias = Callable[[], Iterable[Finding]]


def run_checks(checks: Sequence[tuple[str, Check]], deadline_s: float) -> list[Finding]:
    """Run checks at the same time and collect their findings, in the order of the checks.

    A check that is not done by the deadline is left behind with a finding that says so. Its thread is a daemon:
    resolving a name, for one, can neither be interrupted nor given a time-out.
    """
    runs = []
    for area, check in checks:
        findings: list[Finding] = []
        thread = threading.Thread(target=_collect, args=(area, check, findings), name=f"doctor-{area}", daemon=True)
        thread.start()
        runs.append((area, thread, findings))
    until = time.monotonic() + deadline_s
    collected: list[Finding] = []
    for area, thread, findings in runs:
        thread.join(max(0.0, until - time.monotonic()))
        collected += findings[:]
        if thread.is_alive():
            text = f"the check did not end within {deadline_s:g} s"
            collected.append(
                Finding("problem", area, text, "Look at the network: names that resolve, addresses that answer.")
            )
    return collected


def _collect(area: str, check: Check, findings: list[Finding]) -> None:
    try:
        for found in check():
            findings.append(found)  # noqa: PERF402  (one by one: what follows may hang)
    except Exception as error:  # noqa: BLE001  (one broken check must not hide what the others found)
        findings.append(Finding("problem", area, f"the check itself failed: {error!r}", "Please report this."))

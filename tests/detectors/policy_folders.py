"""Small policy folders for tests: the packaged sections with rules of one's own."""

import shutil
import textwrap
from collections.abc import Collection
from pathlib import Path

from config.policies import PACKAGED, load_policies
from detectors.policy import PolicySet, compile_policies

RULE = """
rules:
  - id: a-rule
    version: 3
    title: A rule
    policy: late_dispatch
    subject: merchant
    when: late_ship_rate_30d > 0.04
    evidence: {orders_30d: 20}
    severity: elevated
    weight: 0.5
    reason: "{late_ship_rate_30d:.1%} of {orders_30d:d} orders"
    observed: late_ship_rate_30d
    expected: 0.04
    window: 30 d
    mode: enforce
    action: order_limit
"""
KNOWN = frozenset(
    {
        "late_ship_rate_30d", "orders_30d", "distinct_buyers_30d", "order_total",
        # The packaged ladders ask for these.
        "bad_order_rate_60d_lower", "counterfeit_claims_90d", "late_ship_rate_7d", "cancel_rate_7d",
        "mature_ship_orders_7d", "failed_value_share_30d", "linked_restricted_days", "late_buyer_cancels_30d",
    }
)  # fmt: skip


def compile_folder(folder: Path, rules: str, *, known: Collection[str] = KNOWN, **sections: str) -> PolicySet:
    """Compile the packaged sections with other rules over known features; ``sections`` replace whole files."""
    for name in ("enforcement", "levels", "terms", "taxonomy"):
        if name in sections:
            (folder / f"{name}.yaml").write_text(textwrap.dedent(sections[name]), encoding="utf-8")
        else:
            shutil.copy(PACKAGED / f"{name}.yaml", folder)
    (folder / "rules.yaml").write_text(textwrap.dedent(rules), encoding="utf-8")
    return compile_policies(load_policies(folder), known)

"""The evaluation as a whole."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.evaluation.__main__ import main
from benchmarks.evaluation.experiments import plan
from streams.simulator import GAMING_NAMES
from tests.benchmarks.evaluation.made_up_data import write_data

_REPOSITORY = Path(__file__).parents[3]
_SHARED = _REPOSITORY.parent / "shared" / "data"


def run_quickly(data: Path, out: Path) -> dict[str, Any]:
    """The figures of a quick run."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.evaluation",
            "--quick",
            "--data",
            str(data),
            "--seeds",
            "5",
            "--out",
            str(out),
        ],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads((out / "evaluation.json").read_text())
    return figures


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_quick_run_on_made_up_data_fills_every_report(tmp_path: Path) -> None:
    """What can be learned from the data is learned, what is not there is named, and the page needs nothing else."""
    figures = run_quickly(write_data(tmp_path), tmp_path / "out")
    assert figures["simulator"]["seeds"] == [5]
    assert figures["simulator"]["bust_out"].keys() >= {
        "recall", "precision", "median_hours_to_detection", "gmv_share_lost",
    }  # fmt: skip
    assert figures["simulator"]["honest"].keys() >= {"high_or_above_share", "suspended"}
    credit = figures["credit"]
    assert credit["olist"].keys() >= {"gini", "ks", "monotone", "tiers", "deciles", "stability", "migration", "batch"}
    assert credit["olist"]["gini"] > 0
    assert credit["simulator"].keys() >= {"gini", "gini_points", "tiers", "orders"}
    assert figures["fairness"].keys() >= {"suspended", "severe_before_review", "small_to_large", "breaker"}
    assert figures["fairness"]["breaker"]["beyond_cap"] == figures["fairness"]["breaker"]["dropped"] == 0
    assert set(figures["gaming"]) == set(GAMING_NAMES)
    assert figures["creators"]["bad"]["creators"] == figures["creators"]["deceived"]["creators"] == 1
    assert figures["creators"]["honest"]["acted_on"] == 0
    late = figures["olist"]["late_at_purchase"]
    assert late["auc"] > 0.8
    assert late["four_shards"]["rows"] == late["rows"] == 100
    assert late["shards_difference"] == pytest.approx(abs(late["auc"] - late["four_shards"]["auc"]))
    assert figures["olist"]["yardstick"]["late_at_purchase"]["boosting"]["auc"] > 0.8
    assert figures["olist"]["negative_review_after_delivery"]["auc"] > 0.6
    assert figures["anomaly"]["shuttle"]["auc_mean"] > 0.75
    assert figures["anomaly"]["mammography"]["river"]["auc_mean"] > 0.75
    assert figures["fraud"]["january"]["rows"] + figures["fraud"]["rest"]["rows"] == 600
    assert figures["obfuscation"]["variants"] >= 500
    assert figures["obfuscation"]["recall"] > 0.9
    titles = figures["pricerunner"]
    assert titles["category_swapped_ap"] > 0.5
    assert titles["duplicates_recall"] > 0.9
    assert any("cover" in word for word in figures["run"]["left_out"])
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert page.count("<svg") == 5
    # Names of XML namespaces are no addresses that anything fetches.
    assert not re.search(r"<script|src=|@import|url\((?!#)|href=\"(?!#)", page)
    text = (tmp_path / "out" / "evaluation.md").read_text()
    for title in (
        "Goals",
        "Simulator",
        "Credit",
        "Fairness and safety",
        "Gaming",
        "Olist",
        "Anomaly",
        "Fraud set",
        "PriceRunner",
    ):
        assert f"## {title}" in text and f"<h2>{title}</h2>" in page
    assert "missed" in text and "not measured" in text


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not _SHARED.exists(), reason="the data sets are not here")
def test_a_quick_run_on_a_slice_of_the_real_data(tmp_path: Path) -> None:
    """All sets are there, and even a slice of them is ranked better than by chance."""
    figures = run_quickly(_SHARED, tmp_path)
    assert figures["run"]["left_out"] == []
    assert figures["anomaly"]["shuttle"]["auc_mean"] > 0.85
    assert figures["olist"]["late_at_dispatch"]["auc"] > 0.6
    assert figures["fraud"]["january"]["auc_known_at_once"] > 0.8


def test_a_set_that_is_not_there_is_left_out_with_a_word(tmp_path: Path) -> None:
    """An empty folder leaves the simulations, and a word on each of the others."""
    pieces, missing = plan(tmp_path, [1, 2], tmp_path, quick=False)
    assert {piece.name[0] for piece in pieces} == {"simulator", "fairness", "gaming", "creators"}
    assert len(missing) == 9


@pytest.mark.slow
def test_rows_that_cannot_be_read_cost_only_their_own_figures(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A broken set is named, the others are reported, and the exit code tells."""
    (tmp_path / "adbench").mkdir()
    (tmp_path / "adbench" / "32_shuttle.npz").write_bytes(b"PK no archive")
    (tmp_path / "fraud_ecommerce").mkdir()
    (tmp_path / "fraud_ecommerce" / "Fraud_Data.csv").write_text("user_id,class\n1,0\n")
    code = main(["--quick", "--data", str(tmp_path), "--seeds", "5", "--out", str(tmp_path / "out")])
    figures = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert code == 1
    assert sorted(word.split(":")[0] for word in figures["run"]["failed"]) == [
        "anomaly/shuttle", "anomaly/shuttle/river", "fraud",
    ]  # fmt: skip
    assert figures["simulator"]["seeds"] == [5]
    assert "failed: fraud: KeyError: 'signup_time'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "1,x"], "'1,x' is not a list"),
        (["--seeds", "3,3"], "twice"),
        (["--data", "/no/such/folder"], "no folder /no/such/folder"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong list of seeds or a missing folder ends with code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err

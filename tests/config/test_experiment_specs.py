"""What an experiment's file may say, and how mistakes in it are told."""

from pathlib import Path

import pytest

from config.experiment_specs import ExperimentFileError, load_experiment

RIGHT = """\
id: stricter-dispatch
title: Stricter limits for late dispatch
starts: 2026-01-01
ends: 2026-03-01
control: usual
arms:
  - {name: strict, share: 0.1}
  - {name: usual, share: 0.1}
guardrails:
  - {metric: gmv_per_merchant, worse_by: 0.05, relative: true}
holdout: 0.02
"""


def written(folder: Path, text: str) -> Path:
    """A file with a text."""
    path = folder / "e.yaml"
    path.write_text(text)
    return path


def test_a_right_file_is_read(tmp_path: Path) -> None:
    """With what it leaves out as by default."""
    spec = load_experiment(written(tmp_path, RIGHT))
    assert [arm.name for arm in spec.arms] == ["strict", "usual"]
    assert (spec.primary, spec.unit, spec.salt, spec.starts.isoformat()) == (
        "bad_order_rate", "merchant", None, "2026-01-01",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("control: usual", "control: other", r"e.yaml:5: no arm is called \"other\"; the arms are strict, usual"),
        ("share: 0.1}", "share: 0.95}", "e.yaml:6: the shares of arms and holdout come to"),
        ("ends: 2026-03-01", "ends: 2025-03-01", "e.yaml:4: it ends before it starts"),
        ("ends: 2026-03-01", "ends: soon", "e.yaml:4: .*ends"),
        ("name: strict", "name: outside", "cannot be called"),
        ("name: strict", "name: usual", "the same name"),
        ("holdout: 0.02", "hold_out: 0.02", "e.yaml:11: .*hold_out"),
        ("metric: gmv_per_merchant", "metric: profit", "e.yaml:9: .*profit"),
        ("metric: gmv_per_merchant", "metric: bad_order_rate", "e.yaml:9: a metric is there twice"),
        ("id: stricter-dispatch", "id: [", "e.yaml:3: no valid YAML"),
        (RIGHT, "- 1", "a mapping was expected"),
    ],
)
def test_mistakes_name_their_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    """And say what is wrong."""
    with pytest.raises(ExperimentFileError, match=words):
        load_experiment(written(tmp_path, RIGHT.replace(old, new)))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """So is one that is not there."""
    path = tmp_path / "e.yaml"
    with pytest.raises(ExperimentFileError, match="No such file"):
        load_experiment(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExperimentFileError, match="not UTF-8"):
        load_experiment(path)

"""The layers hold: config < features < detectors < streams, and only streams does I/O."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the tree under ``root``."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_layers() -> None:
    """Every contract of pyproject.toml is kept."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_a_breach_is_found(tmp_path: Path) -> None:
    """The contracts do find a feature that asks Redis, a detector that reads the clock, and a layer upside down."""
    for package, code in {
        "config": "",
        "features": "import redis\n",
        "detectors": "import time\n",
        "streams": "",
    }.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(code)
    (tmp_path / "config" / "upward.py").write_text("import streams\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert "3 broken" in done.stdout

"""Mistakes of people who use import, produce, record and dead-letters, none of which needs a broker."""

import gzip
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from streams.archive import read_archive
from streams.cli import main
from tests.streams.olist_files import data_set, write_files

#: A port on which nothing listens.
NOBODY = "127.0.0.1:1"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """Run the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("streams.producing._METADATA_SECONDS", 0.5)
    monkeypatch.setattr("streams.reading._METADATA_SECONDS", 0.5)
    return Run()


class Run:
    """Runs ``shopwarden`` with words, and never lets a traceback pass."""

    def __call__(self, *words: object) -> Result:
        """The result; SystemExit is the only exception that may end a command."""
        runner = CliRunner(env={"SHOPWARDEN_KAFKA__BROKERS": NOBODY})
        result = runner.invoke(main, [str(word) for word in words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result


@pytest.fixture
def olist(tmp_path: Path) -> Path:
    """A small Olist data set."""
    folder = tmp_path / "olist"
    folder.mkdir()
    return write_files(folder, data_set())


def test_an_import_writes_archive_and_rejects(run: Run, olist: Path) -> None:
    """The events are in the file, the rejects beside it, the counts on stderr, and stdout stays free."""
    items = olist / "olist_order_items_dataset.csv.gz"
    row = b"o9,1,p1,x,2017-05-04 10:10:00,1.00,0.00\n"
    items.write_bytes(gzip.compress(gzip.decompress(items.read_bytes()) + row))
    result = run("import", "olist", olist, "--to", "history.jsonl.zst")
    assert result.exit_code == 0, result.output
    assert len(list(read_archive(Path("history.jsonl.zst")))) == 11
    rejects = [orjson.loads(line) for line in Path("history.rejects.jsonl").read_bytes().splitlines()]
    assert rejects == [
        {
            "file": "olist_order_items_dataset.csv.gz",
            "line": 7,
            "reason": "unknown_order",
            "detail": "order o9 is not in the file of orders",
        }
    ]
    assert "1  unknown_order in olist_order_items_dataset.csv.gz" in result.stderr
    assert "11 events written to history.jsonl.zst" in result.stderr
    assert result.stdout == ""


def test_an_import_keeps_what_is_there(run: Run, olist: Path) -> None:
    """An existing archive is refused before the work, and replaced on request."""
    Path("history.jsonl").write_text("mine")
    refused = run("import", "olist", olist, "--to", "history.jsonl")
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr
    assert Path("history.jsonl").read_text() == "mine"
    assert run("import", "olist", olist, "--to", "history.jsonl", "--overwrite").exit_code == 0
    assert len(list(read_archive(Path("history.jsonl")))) == 11


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none", "--to", "a.jsonl"], "does not exist"),
        (["olist"], "--to"),
        (["olist", "--to", "Kafka"], "write 'kafka', or name a file"),
        (["olist", "--to", "a.csv"], "write 'kafka', or name a file"),
        (["olist", "--to", "a.jsonl", "--utc-offset", "-3"], "such as -03:00"),
        (["olist", "--to", "kafka", "--rate", "0"], "--rate"),
        (["empty", "--to", "a.jsonl"], "lacks olist_customers_dataset.csv"),
    ],
)
def test_wrong_words_of_import_are_usage_errors(run: Run, olist: Path, words: list[str], message: str) -> None:
    """Exit code 2, and the message says which word is wrong."""
    Path("empty").mkdir()
    result = run("import", "olist", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not Path("a.jsonl").exists()


def test_an_import_without_any_usable_order_fails(run: Run, tmp_path: Path) -> None:
    """An empty history is no history; the rejects say why nothing could be used."""
    tables = data_set()
    for order in tables["olist_orders_dataset"]:
        order["order_purchase_timestamp"] = "?"
    folder = tmp_path / "olist"
    folder.mkdir()
    result = run("import", "olist", write_files(folder, tables), "--to", "a.jsonl")
    assert result.exit_code == 1
    assert "no order could be used" in result.stderr
    assert not Path("a.jsonl").exists()
    assert b"bad_time" in Path("a.rejects.jsonl").read_bytes()


def test_a_target_that_cannot_be_written_is_named_before_the_work(run: Run, olist: Path) -> None:
    """A missing folder is an error at once."""
    result = run("import", "olist", olist, "--to", "none/a.jsonl")
    assert result.exit_code == 1
    assert "the folder none does not exist" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["produce", "none.jsonl"], 2, "does not exist"),
        (["produce", "a.jsonl", "--rate", "-1"], 2, "--rate"),
        (["produce", "a.jsonl"], 1, "no broker answers"),
        (["produce", "bad.jsonl"], 1, "bad.jsonl, line 1: "),
        (["record"], 2, "--out"),
        (["record", "--out", "b.jsonl", "--until-end", "--duration", "3"], 2, "exclude each other"),
        (["record", "--out", "b.jsonl", "--topics", ","], 2, "names no topic"),
        (["record", "--out", "a.jsonl"], 1, "exists already"),
        (["record", "--out", "b.jsonl"], 1, "no broker answers"),
        (["dead-letters", "show", "x"], 2, "such as 3:1042"),
        (["dead-letters", "show", "1:2"], 1, "no broker answers"),
        (["dead-letters", "list"], 1, "no broker answers"),
        (["dead-letters", "resubmit"], 2, "say which"),
        (["dead-letters", "resubmit", "--all", "1:2"], 2, "say which"),
        (["dead-letters", "resubmit", "--all"], 1, "no broker answers"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, words: list[str], code: int, message: str) -> None:
    """Wrong words end with 2, what cannot be done with 1, and nothing is left behind."""
    Path("a.jsonl").write_bytes(b'{"topic": "orders", "key": "m", "value": {}}\n')
    Path("bad.jsonl").write_bytes(b"{broken\n")
    result = run(*words)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["a.jsonl", "bad.jsonl"]

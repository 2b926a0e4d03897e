"""``shopwarden contracts``, its copy in the documentation, and whether real inputs and outputs keep to it."""

import json
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from config.topics import TopicSettings
from detectors.adwin import Shift
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import fresh_models
from features.contract_schema import asyncapi, json_schema, name_of, schema_files
from features.events import InputEvent
from features.omissions import Gap
from features.outputs import Output
from features.policy_notices import PolicyNotice
from features.shard import Record, ShardState
from streams.cli import main
from streams.simulator import Simulation, SimulatorConfig
from tests.streams.shard_fakes import make_judge

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = asyncapi(TopicSettings())
_HEADERS = {"events": "CloudEventHeaders", "standing": "StandingHeaders", "dead_letters": "DeadLetterHeaders"}


@lru_cache(maxsize=64)
def validator(name: str) -> Draft202012Validator:
    """Checks values against the schema of a type."""
    return Draft202012Validator({**json_schema(), "$ref": f"#/$defs/{name}"})


@lru_cache(maxsize=8)
def header_validator(stream: str) -> Draft202012Validator:
    """Checks the headers of a stream's messages, each a text."""
    return Draft202012Validator(DOCUMENT["components"]["schemas"][_HEADERS[stream]])


@pytest.fixture(scope="module")
def run() -> tuple[list[Record], list[Emit]]:
    """Records of 90 simulated days, some of them spoiled, and everything that the core made of them."""
    offsets: Counter[str] = Counter()
    records = []
    for record in Simulation(SimulatorConfig.for_events(8_000, seed=7)):
        offset = offsets[record.topic]
        offsets[record.topic] += 1
        value = b"{" if offset % 1000 == 999 else record.value
        topic: Any = record.topic
        headers = (("trace", b"\xff"),) if offset % 1000 == 999 else ()
        records.append(Record(topic, topic, 3, offset, record.timestamp, record.key, value, headers))
    core = Core(ShardState(3), fresh_models(42), make_judge(audit_rate=0.02))
    emits = []
    for sequence, start in enumerate(range(0, len(records), 1000), 1):
        gaps = [Gap("orders", 40, 57, "expired")] if sequence == 2 else []
        notices = [PolicyNotice(4, "", "", "no file"), PolicyNotice(5, "b", "a", "", 12.5)] if sequence == 2 else []
        emitted = core.apply(Flush(sequence, records[start : start + 1000], gaps=gaps, policies=notices))
        if sequence == 2:
            core._assessor.warn_of([("bad-order:share", Shift(0.1, 0.2, 640))])
        emits += emitted
    # The first decision that can be appealed is.
    decided = next(emit for emit in emits if (b"shopwarden.enforcement.decided.v1") in dict(emit.headers).values())
    appeal = {
        "type": "appeal.filed",
        "event_id": "appeal",
        "occurred_at": json.loads(decided.value or b"")["starts_at"] + 1,
        "merchant_id": (decided.key or b"").decode(),
        "decision_id": json.loads(decided.value or b"")["decision_id"],
    }
    filed = Record("feedback", "feedback", 3, 10_000, records[-1].timestamp, decided.key, json.dumps(appeal).encode())
    records.append(filed)
    emits += core.apply(Flush(10_000, [filed]))
    # What shards tell each other is nobody else's business.
    return records, [emit for emit in emits if emit.stream != "exchange"]


#: Types that this run has no cause for.
NOT_HERE = {
    "shopwarden.enforcement.capped.v1",
    "shopwarden.remedy.withdrawn.v1",
}


def test_the_document_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `--out` the AsyncAPI document is printed."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["contracts"])
    assert result.exit_code == 0
    assert json.loads(result.output) == DOCUMENT


def test_the_schemas_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--format jsonschema` prints the schemas."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["contracts", "--format", "jsonschema"])
    assert result.exit_code == 0
    assert json.loads(result.output) == json_schema()


def test_the_schemas_in_the_documentation_are_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/schemas and docs/asyncapi.json are what `shopwarden contracts --out` writes where no settings are given."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["contracts", "--out", "out"])
    assert result.exit_code == 0, result.output
    written = {path.relative_to("out"): path.read_bytes() for path in Path("out").rglob("*.json")}
    kept = {path.relative_to(DOCS): path.read_bytes() for path in (*DOCS.glob("*.json"), *DOCS.glob("schemas/*"))}
    assert written == kept, "shopwarden contracts --out docs"


def test_each_schema_stands_alone() -> None:
    """A file of docs/schemas is valid JSON Schema that needs no other file, and there is one for each type."""
    for name, schema in schema_files().items():
        Draft202012Validator.check_schema(schema)
        used = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema)))
        assert used == set(schema.get("$defs", ())), name
    assert {f"{name_of(each)}.json" for each in (*get_args(InputEvent), *get_args(Output))} <= set(schema_files())


def test_check_accepts_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`contracts check` names each change since an older contract, and fails where one breaks."""
    monkeypatch.chdir(tmp_path)
    Path("same.json").write_text(json.dumps(DOCUMENT))
    accepted = CliRunner().invoke(main, ["contracts", "check", "same.json"])
    assert accepted.exit_code == 0 and "keeps what same.json promised (0 changes)" in accepted.output
    older = json.loads(json.dumps(asyncapi(TopicSettings(prefix="eu."))))
    older["components"]["schemas"]["order.shipped"]["properties"]["lorry"] = {"type": "string"}
    del older["channels"]["orders"]["messages"]["order.reviewed"]
    Path("older.json").write_text(json.dumps(older))
    refused = CliRunner().invoke(main, ["contracts", "check", "older.json"])
    assert refused.exit_code == 1
    assert "breaks  order.shipped.lorry: was taken away" in refused.output
    assert "allowed  orders: order.reviewed: is new" in refused.output
    assert "1 of 2 changes since older.json" in refused.output


@pytest.mark.parametrize("text", ["[]", "{}", "{", "\udcff"])
def test_check_of_something_else(text: str, tmp_path: Path) -> None:
    """A file that is no contract is a mistake in usage, told in words."""
    path = tmp_path / "other.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = CliRunner().invoke(main, ["contracts", "check", str(path)])
    assert result.exit_code == 2
    assert "other.json: " in result.output


def test_simulated_inputs_keep_to_the_contract(run: tuple[list[Record], list[Emit]]) -> None:
    """Every event of the simulator validates as its type."""
    types: Counter[str] = Counter()
    for record in run[0]:
        if record.value != b"{":
            event = json.loads(record.value or b"")
            types[event["type"]] += 1
            if types[event["type"]] <= 100:
                validator(event["type"]).validate(event)
    assert len(types) >= 12


def test_outputs_keep_to_the_contract(run: tuple[list[Record], list[Emit]]) -> None:
    """Every output of the core, of all types, validates with its headers, and stands in the channel of its topic."""
    channels = {
        "events": "governance-events",
        "standing": "merchant-standing",
        "dead_letters": "governance-dead-letters",
    }
    types: Counter[str] = Counter()
    for emit in run[1]:
        own = [(name, value.decode()) for name, value in emit.headers if name != "trace"]
        assert len(dict(own)) == len(own)
        header_validator(emit.stream).validate(dict(own))
        name = "dead-letter" if emit.stream == "dead_letters" else dict(own).get("ce_type", "Standing")
        types[name] += 1
        assert name in DOCUMENT["channels"][channels[emit.stream]]["messages"]
        if emit.stream != "dead_letters":
            value = json.loads(emit.value or b"")
            assert value.get("type", "Standing") == name
            validator(name).validate(value)
    assert set(types) == {*map(name_of, get_args(Output)), "Standing", "dead-letter"} - NOT_HERE


def test_ids_are_unique_and_sequences_have_no_gap(run: tuple[list[Record], list[Emit]]) -> None:
    """No two outputs share an id; a merchant's events are numbered 1, 2, 3, and a standing names the last of them."""
    last: Counter[bytes] = Counter()
    for emit in run[1]:
        if emit.stream != "dead_letters" and not (emit.key or b"").startswith(b"shard-"):
            key = emit.key or b""
            last[key] += emit.stream == "events"
            assert json.loads(emit.value or b"")["sequence"] == last[key]
    assert len({emit.id for emit in run[1]}) == len(run[1])


def test_the_examples_in_the_documentation_are_valid() -> None:
    """Each JSON example of docs/contracts.md validates as the type that it says, and none is missing."""
    page = (DOCS / "contracts.md").read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    names = [example.get("type", "Standing") for example in examples]
    for name, example in zip(names, examples, strict=True):
        validator(name).validate(example)
    assert set(names) >= {*map(name_of, get_args(Output)), "Standing"} - NOT_HERE

import textwrap
from pathlib import Path

import pytest

from config.policies import PACKAGED, PolicyError, PolicyFiles, load_policies
from config.yaml_lines import MAX_BYTES, YamlError, parse_yaml

RULE = """
rules:
  - id: a-rule
    version: 1
    title: A rule
    policy: late_dispatch
    subject: merchant
    when: orders_30d > 1
    severity: low
    weight: 0.5
    reason: "because"
"""


def load(folder: Path, **files: str) -> PolicyFiles:
    """Load a folder with the given files."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return load_policies(folder)


def problems(folder: Path, **files: str) -> list[str]:
    """What is wrong with the given files."""
    return [str(problem) for problem in load(folder, **files).problems]


def test_the_packaged_files_have_no_problem() -> None:
    """The files that come along are read without a problem, and every section is there."""
    files = load_policies(PACKAGED)
    assert files.problems == []
    assert files.rules
    assert files.ladders
    assert None not in (files.levels, files.limits, files.terms, files.statements)


def test_a_rule_knows_where_it_stands(tmp_path: Path) -> None:
    """A rule comes with its file, its line and the lines of its keys."""
    (spec, place), *_ = load(tmp_path, one=RULE).rules
    assert spec.id == "a-rule"
    assert (place.file, place.line, place.lines["when"]) == ("one.yaml", 3, 8)


def test_a_rule_without_a_mode_is_only_watched(tmp_path: Path) -> None:
    """The default of a rule is shadow, so that a forgotten line enforces nothing."""
    assert load(tmp_path, one=RULE).rules[0][0].mode == "shadow"


def test_the_words_on_off_and_null_are_words(tmp_path: Path) -> None:
    """Keys and values that YAML 1.1 takes for booleans or null mean what they say."""
    text = RULE + "    on: [order.created]\n    null: {orders_30d: 0}\n    mode: off\n"
    spec, _ = load(tmp_path, one=text).rules[0]
    assert (spec.on, spec.null, spec.mode) == (["order.created"], {"orders_30d": 0.0}, "off")


def test_an_unknown_key_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    """A misspelt key is reported at its line with the key that was probably meant."""
    found = problems(tmp_path, one=RULE.replace("severity:", "severty:"))
    assert 'one.yaml:9: rule a-rule: unknown key "severty"; did you mean "severity"?' in found


def test_an_unknown_section_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    """A misspelt section is reported with the section that was probably meant."""
    assert problems(tmp_path, one="ruls: []") == ['one.yaml:1: unknown section "ruls"; did you mean "rules"?']


def test_a_key_given_twice_is_an_error(tmp_path: Path) -> None:
    """The second of two equal keys, which YAML would let win, is an error that names the first."""
    assert problems(tmp_path, one=RULE + "    title: Again\n") == [
        'one.yaml:12: "title" is given twice, first on line 5'
    ]


def test_a_rule_id_used_twice_is_an_error_across_files(tmp_path: Path) -> None:
    """The same id in another file is reported with the place of the first."""
    assert problems(tmp_path, one=RULE, two=RULE) == ["two.yaml:3: rule a-rule: the id is already used at one.yaml:3"]


def test_a_ladder_or_section_twice_is_an_error(tmp_path: Path) -> None:
    """Ladders and sections that one file repeats of another are errors, not overrides."""
    ladder = "ladders:\n  x: {steps: [{action: warn}], cool_down_days: 1, look_back_days: 1}\n"
    levels = "levels: {probability: {}, anomaly: {}}\n"
    assert problems(tmp_path, one=ladder + levels, two=ladder + levels) == [
        "two.yaml:2: ladder x: already at one.yaml:2",
        'two.yaml:3: "levels" is already in one.yaml',
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight: 0.5", "weight: 1.5", "one.yaml:10: rule a-rule: weight: Expected `float` <= 1.0"),
        ("version: 1", "version: one", "one.yaml:4: rule a-rule: version: Expected `int`, got `str`"),
        ("subject: merchant", "subject: buyer", "one.yaml:7: rule a-rule: subject: Invalid enum value 'buyer'"),
        ("id: a-rule", "id: A Rule", "one.yaml:3: rule A Rule: id: Expected `str` matching regex"),
        ('    reason: "because"\n', "", "rule a-rule: Object missing required field `reason`"),
        ("orders_30d > 1", "[1]", "one.yaml:8: rule a-rule: when: Expected `str`, got `array`"),
    ],
)
def test_values_of_the_wrong_kind_are_errors_at_their_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A value of the wrong type or range is reported at its own line."""
    (found,) = problems(tmp_path, one=RULE.replace(old, new))
    assert words in found


def test_all_problems_are_collected(tmp_path: Path) -> None:
    """One run shows the problems of every file."""
    found = problems(tmp_path, one="rules: {}", two="ladders: []", three="levels: 1", four="a: [")
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: &x [1]\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "anchors"),
        ("- 1\n", 1, "mapping was expected"),
        ("a: [1\nb: 2\n", 2, "no valid YAML"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "plain text"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "no valid YAML"),
        ("a: 2024-99-99\n", 1, "no valid YAML"),
        ("a: " + "[" * 5000, 1, "no valid YAML"),
        ("a: " + "x" * MAX_BYTES, 1, "characters"),
    ],
)
def test_yaml_that_is_not_plain_is_refused(text: str, line: int, words: str) -> None:
    """Anchors, tags, odd keys, broken and oversized files are refused with a line."""
    with pytest.raises(YamlError, match=words) as caught:
        parse_yaml(text)
    assert caught.value.line == line


def test_an_empty_file_is_an_empty_mapping() -> None:
    """A file of comments alone holds no sections and is no error."""
    assert parse_yaml("# nothing\n") == {}


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    """A folder that holds no policies, or that is not there, is an error that names it."""
    with pytest.raises(PolicyError, match=r"no \*\.yaml file"):
        load_policies(tmp_path)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policies(tmp_path / "missing")


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    """A file that is no UTF-8 is an error, not a crash."""
    (tmp_path / "one.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policies(tmp_path)

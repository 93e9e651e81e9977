"""What comes in as text is decoded at a bounded cost, or refused in one line."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.decoding import MAX_DEPTH, MAX_JSON, MAX_TEXT, MAX_VALUES, read_definition, read_json
from amlocal.core.yaml_decoding import MAX_YAML, read_yaml

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def outcome(read: Callable[[Any], Any], text: bytes | str) -> tuple[Any, str]:
    """Return the value of a text, None when it was refused, and why."""
    try:
        return read(text), ""
    except ValueError as error:
        return None, str(error)


@given(PLAIN)
def test_what_json_says_is_read(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1).encode()):
        assert read_json(text) == value


@given(st.binary(max_size=30) | st.text(max_size=30))
def test_any_other_text_is_refused_in_one_line(text: bytes | str) -> None:
    value, reason = outcome(read_json, text)
    assert "\n" not in reason
    assert read_json(json.dumps(value, allow_nan=False, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "1e999", "[-1e999]", '{"a": 2e308}', "NaN", "[Infinity]", "-Infinity", "1" * 5000, "[" + "1" * 301 + "]",
        "-" + "9" * 400,
        '"\\ud800"', '"\\udC00\\ud800"', '{"\\uDfff": 1}', b'"\xed\xa0\x80"', b'"\xff"', "", "[",
        "[" * 100_000, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), '{"a":' * 101 + "1" + "}" * 101,
        "[" + "1," * MAX_VALUES + "1]", '"' + "x" * MAX_JSON + '"',
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_json_that_no_strict_reader_takes_or_that_is_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        read_json(text)
    assert len(str(refusal.value)) < 200


def test_json_up_to_the_bounds_is_taken() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(read_json(deep)) == deep
    assert len(read_json("[" + "1," * (MAX_VALUES - 2) + "1]")) == MAX_VALUES - 1
    assert read_json('"\\ud83d\\ude00"') == "\U0001f600"
    assert math.isclose(read_json("1e308"), 1e308)


@given(PLAIN)
def test_what_yaml_says_is_read_as_the_safe_loader_reads_it(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert read_yaml(text) == yaml.safe_load(text)


def test_aliases_are_taken_as_long_as_what_they_stand_for_is_small() -> None:
    assert read_yaml("a: &x [1, 2]\nb: *x\nc: {d: *x}") == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS, "&a [*a]", "&a {self: *a}", "a: *b", "[" * 100_000, "- " * 5000, "a: &a [1]\n" + "".join(
            f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}]\n" for n in range(120)
        ),
        "- a\n" * 80_000, "x" * (MAX_YAML + 1), "1:" * 300 + "1", "[" + "9" * 3000 + "]", "!!python/name:os.system",
        "day: 2024-13-45", "? [a]\n: b", "\x00", "a: b: c", "!!int x", "!!float ''", "!!timestamp x", "!!bool x",
        "!!int ''", "a: !!binary é",
        "!!int " + "1:" * 300 + "1", "!!float " + "1:" * 300 + "1", "!<tag:yaml.org,2002:int> '" + "1:" * 300 + "1'",
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_yaml_out_of_bounds_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        read_yaml(text)
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=40) | st.text("[]{}&*!-?:|>'\",#%@ \nab10.<=~", max_size=40))
def test_no_text_makes_the_yaml_reader_fail_otherwise(text: str) -> None:
    assert "\n" not in outcome(read_yaml, text)[1]


@pytest.mark.parametrize(("content", "reason"), [(b"a" * (MAX_TEXT + 1), "is longer than"), (b"\xff", "is not UTF-8")])
def test_a_file_out_of_bounds_is_refused_by_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "conda.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=rf"conda\.yaml {reason}"):
        read_definition(tmp_path / "conda.yaml")


def test_a_file_as_large_as_may_be_is_read(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_bytes(b"a" * MAX_TEXT)
    assert len(read_definition(tmp_path / "conda.yaml")) == MAX_TEXT

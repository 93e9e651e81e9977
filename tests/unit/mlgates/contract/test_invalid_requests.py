"""The catalogue is complete: a kind of invalid request that is lost would be noticed by no scorer."""

import json

import pytest

from mlgates.contract.invalid_requests import OnAzure, catalogue
from tests.unit.mlgates.contract.models import BATCHES, CONTRACTS

BODY = {
    *("empty body", "not JSON", "cut short", "more after the end", "nested too deeply", "in UTF-16"),
    *("bytes that are not UTF-8", "a list at the top", "null at the top", "an empty object"),
    *("plain text as content type", "CSV as content type", "no content type", "another charset"),
    *("MLflow's key instead of Azure's", "a key in the wrong case", "an unknown key beside the data"),
    *("data null", "data a number", "data a text", "no rows", "params a list", "an unknown parameter"),
}
ROWS = {"a long row", "a row that is no list"}
TABLE = {
    *("lists and objects mixed", "columns without data", "data without columns", "columns and no rows"),
    *("an unknown part", "an index longer than the data"),
}
ANY = {"null", "a list", "an object"}
NUMBER = {
    *ANY,
    *("text", "an empty text", "a number in quotes", "a boolean", "NaN", "Infinity", "-Infinity"),
    *("a number beyond doubles", "an integer of 400 digits"),
}
TEXT = {*ANY, "a number", "a boolean"}
ARRAY = {"no array", "no rows", "a dimension too many"}


def wrong(name: str, values: set[str], beside: str = "") -> set[str]:
    """The names of requests in which an input has a wrong value or, with `beside`, a wrong name."""
    names = {f"{name} missing", f"{name} misspelt", f"an extra {beside} beside {name}"} if beside else set()
    return {f"{name}: {value}" for value in values} | names


NAMES: dict[str, set[str]] = {
    "unnamed": BODY | ROWS | {"a short row"} | wrong("0", NUMBER) | wrong("1", {*NUMBER, "a fraction"}),
    "images": BODY | wrong("input_data", ARRAY | NUMBER),
    "pixels": BODY
    | wrong("input_data", ARRAY | NUMBER | {"a fraction", "a number of more bits", "rows of different lengths"}),
    "small floats": BODY | wrong("input_data", ARRAY | NUMBER | {"a number of more bits"}),
    "words": BODY | wrong("input_data", ARRAY | TEXT),
    "steps": BODY | wrong("input_data", ARRAY | NUMBER | {"a fraction", "a number of more bits"}),
    "a pair of tensors": BODY | wrong("left", ARRAY | NUMBER, "array") | wrong("right", ARRAY | NUMBER, "array"),
    "with parameters": BODY
    | (ROWS | TABLE | {"x0 twice"})
    | wrong("x0", NUMBER, "column")
    | wrong("parameter temperature", NUMBER)
    | {f"parameter stops: {value} in its list" for value in TEXT - {"a list"}}
    | {"parameter stops: no list"},
    "with an optional column": BODY
    | (ROWS | TABLE | {"a twice", "b twice"})
    | wrong("a", NUMBER, "column")
    | (wrong("b", TEXT - {"null"}, "column") - {"b missing"}),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_there_once(name: str) -> None:
    found = [invalid.name for invalid in catalogue(CONTRACTS[name], BATCHES[name])]
    assert sorted(found) == sorted(NAMES[name])


@pytest.mark.parametrize(("rows", "on_azure"), [(1, OnAzure.PREDICTS), (2, OnAzure.FAILS)])
def test_a_single_row_is_repeated_on_azure_for_a_longer_index(rows: int, on_azure: OnAzure) -> None:
    batch = BATCHES["with parameters"]
    short = type(batch)(batch.names, batch.rows[:rows], batch.params)
    (found,) = (each for each in catalogue(CONTRACTS["with parameters"], short) if each.names == "index")
    assert found.on_azure is on_azure
    assert len(json.loads(found.request.body)["input_data"]["index"]) == rows + 1

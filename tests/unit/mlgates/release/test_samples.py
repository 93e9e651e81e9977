import codecs
import json
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from mlgates.config.settings import Settings
from mlgates.contract.signature import Column, DataType, ModelContract, Tensor
from mlgates.core.errors import AssetMissing, CanaryFailed, SampleRefused
from mlgates.endpoint_client import ScoringRequest
from mlgates.release.samples import ROWS, Sample, Samples, read_samples
from mlgates.tables import read_csv

NUMBERS = ModelContract((Column("a", DataType.LONG), Column("b", DataType.DOUBLE)))


def asked(settings: Settings, contract: ModelContract, batch: bytes, online: str | None = None) -> list[Any]:
    """The rows of the batch sample as they are sent."""
    root = settings.project.root
    (root / settings.batch_sample_request).write_bytes(batch)
    if online is not None:
        (root / settings.online_sample_request).write_text(online)
    _, *requests = read_samples(settings, contract).requests
    bodies = [json.loads(sample.request.body)["input_data"] for sample in requests]
    return [row for body in bodies for row in (body["data"] if isinstance(body, dict) else body)]


def one_column(settings: Settings, data_type: DataType, cell: str, *, required: bool = True) -> Any:
    """What becomes of a cell of a CSV file, in a column of `kind` beside another."""
    contract = ModelContract((Column("a", data_type, required), Column("k", DataType.STRING)))
    online = {DataType.BOOLEAN: True, DataType.STRING: "x", DataType.BINARY: "", DataType.DATETIME: "2026-01-01"}.get(
        data_type, 1
    )
    body = json.dumps({"input_data": {"columns": ["a", "k"], "data": [[online, "k"]]}})
    return asked(settings, contract, f"a,k\n{cell},k\n".encode(), body)[0][0]


def test_the_rows_of_the_batch_sample_are_one_request_in_the_form_that_azure_takes(settings: Settings) -> None:
    _, request = read_samples(settings, NUMBERS).requests
    assert json.loads(request.request.body) == {
        "input_data": {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2.0], [3, 4.0]]}
    }
    assert request.rows == 2


@pytest.mark.parametrize(
    ("data_type", "cell", "value"),
    [
        (DataType.STRING, "02134", "02134"),
        (DataType.STRING, "true", "true"),
        (DataType.STRING, "1e3", "1e3"),
        (DataType.STRING, '"two\nlines"', "two\nlines"),
        (DataType.STRING, '"a,b ""c"""', 'a,b "c"'),
        (DataType.STRING, "", None),
        (DataType.LONG, "02134", 2134),
        (DataType.LONG, "3.0", 3),
        (DataType.LONG, "9007199254740993", 9007199254740993),
        (DataType.DOUBLE, "2", 2.0),
        (DataType.DOUBLE, "", None),
        (DataType.DOUBLE, "-1.5e-3", -0.0015),
        (DataType.BOOLEAN, "true", True),
        (DataType.BOOLEAN, "False", False),
        (DataType.DATETIME, "2026-01-31 12:00:00", "2026-01-31 12:00:00"),
        (DataType.DATETIME, "", None),
        (DataType.BINARY, "aGk=", "aGk="),
    ],
)
def test_a_cell_is_typed_by_the_signature(settings: Settings, data_type: DataType, cell: str, value: object) -> None:
    found = one_column(settings, data_type, cell)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("data_type", "cell", "message"),
    [
        (DataType.LONG, "", "column 'a' is null, and a value is required"),
        (DataType.LONG, "2.5", "column 'a' '2.5' is 2.5, and a whole number is required"),
        (DataType.LONG, "many", "column 'a' 'many' is text, and a whole number is required"),
        (DataType.LONG, "1_000", "column 'a' '1_000' is text"),
        (DataType.DOUBLE, "1,5", "line 2 has 3 fields, the header 2"),
        (DataType.DOUBLE, '"1,5"', "column 'a' '1,5' is text, and a number is required"),
        (DataType.DOUBLE, "inf", "a finite number is required"),
        (DataType.BOOLEAN, "yes", "column 'a' 'yes' is text, and true or false is required"),
        (DataType.BOOLEAN, "", "column 'a' is null"),
        (DataType.DATETIME, "31.1.2026", "is not a date and time such as"),
        (DataType.BINARY, "no base64!", "is not base64"),
    ],
)
def test_a_cell_that_the_signature_does_not_allow_is_named(
    settings: Settings, data_type: DataType, cell: str, message: str
) -> None:
    with pytest.raises(SampleRefused) as refused:
        one_column(settings, data_type, cell)
    assert str(refused.value).startswith("data/batch.csv (BATCH_SAMPLE_REQUEST, mlops/config-mlops.yml): ")
    assert message in str(refused.value)
    assert "nothing was deployed" in str(refused.value)


def test_a_refused_sample_is_no_withdrawal() -> None:
    assert SampleRefused.exit_code != CanaryFailed.exit_code


ROWS_OF_FILES = {
    "plain": b"a,b\n1,2\n3,4\n",
    "saved by Excel": codecs.BOM_UTF8 + b"a,b\r\n1,2\r\n3,4\r\n",
    "its header quoted": codecs.BOM_UTF8 + b'"a","b"\n1,2\n3,4\n',
    "blank last lines": b"a,b\n1,2\n3,4\n\n\n",
    "no newline at its end": b"a,b\n1,2\n3,4",
    "other order": b"b,a\n2,1\n4,3\n",
    "more columns": b"id,a,b,label\nx,1,2,0\ny,3,4,1\n",
}


@pytest.mark.parametrize("content", ROWS_OF_FILES.values(), ids=ROWS_OF_FILES.keys())
def test_the_rows_are_read_whatever_wrote_the_file(settings: Settings, content: bytes) -> None:
    assert asked(settings, NUMBERS, content) in ([[1, 2.0], [3, 4.0]], [[2.0, 1], [4.0, 3]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"a,b\n", "no rows below the header"),
        (b"a\n1\n", "column 'b' is missing; there are a"),
        (b"a;b\n1;2\n", "column 'a' is missing"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 fields, the header 2"),
        ("a,b\n1,2\n".encode("utf-16"), "not text in UTF-8"),
        (b"a,b\n1,\xe9\n", "not text in UTF-8"),
        (b'a,b\n1,"2\n', "not a CSV table"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(settings: Settings, content: bytes, message: str) -> None:
    with pytest.raises(SampleRefused, match=f"data/batch.csv .*{message}"):
        asked(settings, NUMBERS, content)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
tables = st.lists(st.tuples(st.integers(-(2**53), 2**53), texts | st.just("line\nbreak")), min_size=1, max_size=250)


@hypothesis.settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example writes its own file
@given(table=tables)
def test_the_rows_are_those_that_the_suites_read(table: list[tuple[int, str]], settings: Settings) -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for _, text in table]
    content = "a,b\n" + "".join(f"{number},{text}\n" for (number, _), text in zip(table, quoted, strict=True))
    contract = ModelContract((Column("a", DataType.LONG), Column("b", DataType.STRING)))
    online = '{"input_data": {"columns": ["a", "b"], "data": [[1, "x"]]}}'
    sent = asked(settings, contract, content.encode(), online)
    read = read_csv(settings.project.root / settings.batch_sample_request)
    assert [row[0] for row in sent] == read["a"].tolist()
    assert [value is None for _, value in sent] == read["b"].isna().tolist()
    assert all(value in {None, text} for (_, value), (_, text) in zip(sent, table, strict=True))


@pytest.mark.parametrize(("rows", "shown"), [((3,), "1 requests, 3 rows"), ((3, None), "2 requests, 4 rows")])
def test_a_sample_of_unknown_rows_counts_as_one(rows: tuple[int | None, ...], shown: str) -> None:
    samples = Samples(tuple(Sample(ScoringRequest(b"{}"), each) for each in rows))
    assert samples.summary == f"{shown}, typed by the signature"


def test_many_rows_are_several_requests(settings: Settings) -> None:
    content = b"a,b\n" + b"1,2\n" * (2 * ROWS + 1)
    assert len(asked(settings, NUMBERS, content)) == 2 * ROWS + 1
    assert [sample.rows for sample in read_samples(settings, NUMBERS).requests] == [1, ROWS, ROWS, 1]


def test_a_model_without_names_is_asked_by_position(settings: Settings) -> None:
    contract = ModelContract((Column("0", DataType.LONG), Column("1", DataType.DOUBLE)), named=False)
    assert asked(settings, contract, b"x,y\n1,2\n") == [[1, 2.0]]
    with pytest.raises(SampleRefused, match="it has 1 columns, and the signature 2"):
        asked(settings, contract, b"x\n1\n")


def test_a_model_of_an_array_is_asked_with_rows_of_it(settings: Settings) -> None:
    contract = ModelContract((Tensor("", DataType.DOUBLE, (-1, 2), "float64"),), named=False)
    assert asked(settings, contract, b"x,y\n1,2\n3,4\n") == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(SampleRefused, match="it has 1 columns, and a row of the signature's tensor 2 values"):
        asked(settings, contract, b"x\n1\n")


def test_rows_that_are_no_tensors_are_not_asked_and_that_is_said(settings: Settings) -> None:
    online = settings.project.root / settings.online_sample_request
    online.write_text('{"input_data": [[[1.0, 2.0]]]}')
    contract = ModelContract((Tensor("", DataType.DOUBLE, (-1, 1, 2), "float64"),), named=False)
    samples = read_samples(settings, contract)
    assert (len(samples.requests), "without the batch sample" in samples.summary) == (1, True)


@pytest.mark.parametrize(
    ("online", "message"),
    [
        ('{"input_data": [[1]]}', "column 'b' is missing; there are a"),
        ('{"input_data": [["1", 2]]}', "row 0, column 'a' is text, and a whole number is required"),
        ('{"input_data": {"columns": ["a"], "data": [[1]]}}', "column 'b' is missing; there are a"),
        ('{"input_data": []}', "column|no rows"),
        ('{"input_data": [[1, 2]', "the body is not JSON"),
        ("[[1, 2]]", "an object with 'input_data' is required"),
    ],
)
def test_an_online_sample_that_the_signature_does_not_allow_is_named(
    settings: Settings, online: str, message: str
) -> None:
    with pytest.raises(SampleRefused, match=rf"data/online.json \(ONLINE_SAMPLE_REQUEST, .*(?:{message})"):
        asked(settings, NUMBERS, b"a,b\n1,2\n", online)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_an_online_sample_is_sent_in_the_form_that_azure_takes_without_an_editors_mark(
    settings: Settings, mark: bytes
) -> None:
    (settings.project.root / settings.online_sample_request).write_bytes(mark + b'{"input_data": [[1, null]]}')
    first, _ = read_samples(settings, NUMBERS).requests
    assert json.loads(first.request.body)["input_data"] == {"columns": ["a", "b"], "index": [0], "data": [[1, None]]}


def test_a_sample_that_is_not_there_is_named(settings: Settings) -> None:
    (settings.project.root / settings.batch_sample_request).unlink()
    with pytest.raises(AssetMissing, match="BATCH_SAMPLE_REQUEST"):
        read_samples(settings, NUMBERS)


def test_without_a_signature_or_with_a_scoring_script_the_online_sample_is_sent_as_it_is(settings: Settings) -> None:
    sample = settings.project.root / settings.online_sample_request
    sample.write_text('{"anything": 1}')
    (only,) = read_samples(settings, None).requests
    assert (only.request.body, only.rows) == (b'{"anything": 1}', None)
    file = settings.project.online / "online-deployment.yml"
    declared = yaml.safe_load(file.read_text()) | {"code_configuration": {"code": ".", "scoring_script": "score.py"}}
    file.write_text(yaml.safe_dump(declared))
    samples = read_samples(settings, NUMBERS)
    assert (samples.requests, "scoring script" in samples.left_out) == ((only,), True)
    sample.write_text("{")
    with pytest.raises(SampleRefused, match="not JSON"):
        read_samples(settings, NUMBERS)

"""The one reader of tables: CSV, Parquet, JSON lines, a folder of them, MLTable, and requests to an online endpoint.

Strict where pandas is lenient: a file that was cut short, a field too many or two columns of one name are errors, and
not shifted columns. What training, suites, gates, canaries and samples read is so the same rows.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mlgates.core.errors import ExitCode, MlgatesError

_ENCODING = "utf-8-sig"
"""UTF-8, with or without the mark at its beginning that Excel writes."""
_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED = 50
"""Lines by which the delimiter is recognised."""
CSV, PARQUET, JSON_LINES = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".jsonl", ".ndjson")
_OPTIONS: dict[str, set[str]] = {
    "read_delimited": {"delimiter", "encoding", "header", "empty_as_string", "infer_column_types"},
    "read_parquet": {"include_path_column"},
    "read_json_lines": {"encoding"},
    "drop_columns": {"columns"},
    "keep_columns": {"columns"},
}
"""Of an MLTable's transformations."""
_UTF8 = {"utf8", "utf-8", "utf8bom", "ascii"}
_HEADERS = {"all_files_same_headers", "all_files_different_headers", "from_first_file"}
csv.field_size_limit(2**31 - 1)
"""A text may be long: what Python takes by default is 128 KB."""
MLTABLE = "MLTable"
"""The file by which Azure ML knows a folder as a table of type `mltable`."""


class UnreadableData(MlgatesError):
    """A data file is missing, empty, cut short or no table."""

    exit_code = ExitCode.DATA_UNREADABLE


def read_table(path: Path, texts: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table, by the ending of its name; of a CSV file's columns `texts` stay as they are written (`02134`).

    `path` is a CSV file (any of the delimiters `,` `;` tab and `|`), Parquet or JSON lines, each also as `.gz`; a
    folder of such files with the same columns, read in the order of their names; or a folder with an MLTable file.
    Other types are found out as pandas does; what is missing is NaN.

    Raises `UnreadableData` when it is missing, empty, has no rows, or is not what its name says; of a CSV file also
    when a line has more or fewer fields than the header (pandas would fill up the short line of a file that was cut
    off, and shift all columns of a longer one), when two columns have one name (it would call the second `a.1`), or
    when a field holds a NUL character (it would cut the field there).
    """
    if path.is_dir():
        return _read_folder(path, texts)
    with _reading(path):
        return _read_file(path, texts)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file with a header, whatever its name. Raises as `read_table` does."""
    with _reading(path):
        return _read_csv(path, _unpacked(path), ())


def read_text(path: Path) -> pd.DataFrame:
    """Read a CSV file parted by commas, every value as it is written: `02134` and `true` stay text.

    Azure's batch endpoints take commas alone, and what they are sent is read here. What is missing is NaN, as with
    `read_csv`. Raises as that does.
    """
    with _reading(path):
        return _read_csv(path, _unpacked(path), None, ",")


def read_request(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read the body of a scoring request, `{"input_data": [[...], ...]}`: it names no columns, so `columns` does.

    The form that does, `{"input_data": {"columns": [...], "data": [[...], ...]}}`, is read with its own. Raises
    `UnreadableData` when the file is missing, empty or cut off, or a row has more or fewer values than columns.
    """
    with _reading(path):
        body = json.loads(path.read_text(encoding=_ENCODING))
    names, rows = _request_rows(path, body, columns)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise UnreadableData(f"{path}: row {number} of input_data: {len(names)} values wanted ({', '.join(names)})")
    if not rows:
        raise UnreadableData(f"{path}: input_data has no rows")
    return pd.DataFrame(rows, columns=pd.Index(names))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        if path.stat().st_size == 0:
            raise UnreadableData(f"{path}: the file is empty")
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableData(f"{path}: not packed by gzip, or cut short ({error})") from error
    except OSError as error:
        raise UnreadableData(f"{path}: cannot be read ({error.strerror or error})") from error
    except json.JSONDecodeError as error:
        raise UnreadableData(f"{path}: not JSON, or cut short ({error})") from error
    except UnicodeDecodeError as error:
        raise UnreadableData(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start})") from error
    except (csv.Error, pd.errors.ParserError) as error:
        raise UnreadableData(f"{path}: not a CSV table ({error})") from error


def _read_file(path: Path, texts: Sequence[str]) -> pd.DataFrame:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if kind in PARQUET:
        return _with_rows(path, _read_parquet(path))
    if kind in JSON_LINES:
        return _with_rows(path, _read_json_lines(path))
    if kind in CSV or not kind:
        return _read_csv(path, _unpacked(path), texts)
    known = ", ".join((*CSV, *PARQUET, *JSON_LINES))
    raise UnreadableData(f"{path}: a table's name ends with one of {known}, or with one of them and .gz")


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - a second, for those who have Parquet files

    try:
        return pd.read_parquet(io.BytesIO(_unpacked(path)))
    except pa.ArrowException as error:
        raise UnreadableData(f"{path}: not Parquet, or cut short ({str(error).splitlines()[0]})") from error


def _read_json_lines(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(_unpacked(path).decode(_ENCODING).split("\n"), start=1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):
                raise UnreadableData(f"{path}: line {number} is no object with the columns as its keys")
            rows.append(row)
    return pd.DataFrame(rows)


def _with_rows(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise UnreadableData(f"{path}: it has no rows")
    return table


def _read_csv(path: Path, content: bytes, texts: Sequence[str] | None, delimiter: str = "") -> pd.DataFrame:
    """Parse a CSV file; the columns `texts` stay texts, all of them for None."""
    text = content.decode(_ENCODING)
    delimiter = delimiter or _delimiter(path, text)
    header = _check_fields(path, text, delimiter)
    kept: Any = str if texts is None else {name: str for name in texts if name in header}
    # Parsed at once: a long column would have the types of its parts.
    return pd.read_csv(io.StringIO(text), sep=delimiter, dtype=kept, low_memory=False)


def _delimiter(path: Path, text: str) -> str:
    """Return what the header is parted by: the delimiter by which the first lines have as many fields as it has."""
    if path.name.lower().removesuffix(".gz").endswith(".tsv"):
        return "\t"
    lines = text.splitlines()[:_SNIFFED]

    def fit(each: str) -> tuple[bool, int, int]:
        first, *others = [len(row) for row in csv.reader(lines, delimiter=each) if row] or [0]
        return first > 1, sum(other == first for other in others), first

    return max(_DELIMITERS, key=fit)  # of equals the first, the comma


def _check_fields(path: Path, text: str, delimiter: str) -> list[str]:
    """Return the header of a CSV file. Raises `UnreadableData` for what pandas would read as something else."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(lines, [])
    wanted, rows = len(header), 0
    if twice := next((name for place, name in enumerate(header) if name in header[:place]), None):
        raise UnreadableData(f"{path}: column '{twice}' is in the header twice")
    for fields in filter(None, lines):
        rows += 1
        if any("\0" in field for field in fields):
            raise UnreadableData(f"{path}: line {lines.line_num} holds a NUL character: it is no text")
        if len(fields) != wanted:
            found = f"line {lines.line_num} has {len(fields)} fields, the header {wanted}"
            raise UnreadableData(f"{path}: {found}; was the file cut short?")
    if not rows:
        raise UnreadableData(f"{path}: no rows below the header")
    return header


def _read_folder(folder: Path, texts: Sequence[str]) -> pd.DataFrame:
    if (folder / MLTABLE).is_file():
        return _read_mltable(folder / MLTABLE, texts)
    known = {*CSV, *PARQUET, *JSON_LINES} - {".txt"}
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and _is_data(file.relative_to(folder), known)]
    if not files:
        raise UnreadableData(f"{folder}: no file in it is a table ({', '.join(sorted(known))})")
    return _joined([(file, read_table(file, texts)) for file in files])


def _is_data(path: Path, known: set[str]) -> bool:
    """Tell a table of a folder from what lies beside it: hidden files, marks of completion, a note as text."""
    hidden = any(part.startswith((".", "_")) for part in path.parts)
    return not hidden and bool(known & {each.lower() for each in path.suffixes})


def _joined(parts: Sequence[tuple[Path, pd.DataFrame]]) -> pd.DataFrame:
    first, columns = parts[0][0], list(parts[0][1].columns)
    for file, part in parts:
        if set(part.columns) != set(columns):
            odd = sorted(map(str, set(part.columns) ^ set(columns)))
            raise UnreadableData(f"{file}: its columns are not those of {first}: {', '.join(odd)}")
    return pd.concat([part[columns] for _, part in parts], ignore_index=True)


def _read_mltable(file: Path, texts: Sequence[str]) -> pd.DataFrame:
    """Read the files that an MLTable names, as far as it says no more than how they are written and what is kept."""
    with _reading(file):
        try:
            declared = yaml.safe_load(file.read_text(encoding=_ENCODING))
        except yaml.YAMLError as error:
            raise UnreadableData(f"{file}: not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(declared, dict) or not isinstance(declared.get("paths"), list):
        raise UnreadableData(f"{file}: an MLTable has a list of 'paths'")
    listed = declared.get("transformations") or []
    if not isinstance(listed, list):
        raise UnreadableData(f"{file}: 'transformations' is a list")
    steps = [_step(file, step) for step in listed]
    delimiter = next((str(given["delimiter"]) for _, given in steps if given.get("delimiter")), "")
    parts = [
        (found, _delimited(found, texts, delimiter) if delimiter and found.is_file() else read_table(found, texts))
        for path in declared["paths"]
        for found in _named_files(file, path)
    ]
    table = _joined(parts)
    for name, given in steps:
        columns = given.get("columns", [])
        columns = [columns] if isinstance(columns, str) else list(columns)
        if name == "drop_columns":
            table = table.drop(columns=columns, errors="ignore")
        elif name == "keep_columns":
            if gone := [each for each in columns if each not in table]:
                raise UnreadableData(f"{file}: keep_columns names {gone[0]}, which no file has")
            table = table[columns]
    return table


def _delimited(path: Path, texts: Sequence[str], delimiter: str) -> pd.DataFrame:
    with _reading(path):
        return _read_csv(path, _unpacked(path), texts, delimiter)


def _step(file: Path, step: Any) -> tuple[str, dict[str, Any]]:
    name, given = next(iter(step.items())) if isinstance(step, dict) and step else (str(step), {})
    if name not in _OPTIONS:
        known = ", ".join(sorted(_OPTIONS))
        raise UnreadableData(f"{file}: the transformation '{name}' is not read here, only {known}")
    if name.endswith("_columns") and not isinstance(given, dict):
        given = {"columns": given}
    given = dict(given or {})
    if strange := sorted(set(given) - _OPTIONS[name]):
        raise UnreadableData(f"{file}: the option '{strange[0]}' of {name} is not read here")
    if len(str(given.get("delimiter", ","))) != 1 or str(given.get("encoding", "utf8")).lower() not in _UTF8:
        raise UnreadableData(f"{file}: {name} is read with one character as delimiter, and in UTF-8")
    if str(given.get("header", "all_files_same_headers")) not in _HEADERS:
        raise UnreadableData(f"{file}: every file must have a header")
    return name, given


def _named_files(file: Path, path: Any) -> list[Path]:
    named = next(iter(path.values()), "") if isinstance(path, dict) else path
    root = file.parent.resolve()
    try:
        found = sorted(root.glob(str(named).removeprefix("./"))) if named and "://" not in str(named) else []
    except (ValueError, NotImplementedError):  # no pattern, or an absolute one
        found = []
    files = [each for each in found if each.resolve().is_relative_to(root) and each.resolve() != root]
    if not files:
        raise UnreadableData(f"{file}: '{named}' names no file below its folder")
    return files


def _request_rows(path: Path, body: Any, columns: Sequence[str]) -> tuple[Sequence[str], list[Any]]:
    """Return the column names and the rows of a request."""
    match body:
        case {"input_data": list(rows)}:
            return columns, rows
        case {"input_data": {"columns": list(names), "data": list(rows)}}:
            return [str(name) for name in names], rows
    forms = '{"input_data": [[...], ...]} or {"input_data": {"columns": [...], "data": [[...], ...]}}'
    raise UnreadableData(f"{path}: a request is {forms}")

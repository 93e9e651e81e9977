"""Reads the two forms in which data comes, a CSV file and a request to an online endpoint, and reads them strictly."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates.core.errors import ExitCode, MlgatesError

_ENCODING = "utf-8-sig"
"""UTF-8, with or without the mark at its beginning that Excel writes."""


class UnreadableData(MlgatesError):
    """A data file is missing, empty, cut short or no table."""

    exit_code = ExitCode.DATA_UNREADABLE


def read_csv(path: Path) -> pd.DataFrame:
    """Read a comma-separated file with a header.

    Raises `UnreadableData` when it is missing, empty, has no rows, or when a line has more or fewer fields than
    the header (pandas would fill up the short line of a file that was cut off), when two columns have one name (it
    would call the second `a.1`), or when a field holds a NUL character (it would cut the field there).
    """
    with _reading(path):
        _check_fields(path)
        return pd.read_csv(path, encoding=_ENCODING)


def read_text(path: Path) -> pd.DataFrame:
    """Read the same rows as `read_csv` does, every value as it is written: `02134` and `true` stay text.

    What is missing is NaN, as `read_csv` has it. Raises as that does.
    """
    with _reading(path):
        _check_fields(path)
        return pd.read_csv(path, dtype=str, encoding=_ENCODING)


def read_request(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read the body of a scoring request, `{"input_data": [[...], ...]}`: it names no columns, so `columns` does.

    The form that does, `{"input_data": {"columns": [...], "data": [[...], ...]}}`, is read with its own. Raises
    `UnreadableData` when the file is missing, empty or cut off, or a row has more or fewer values than columns.
    """
    with _reading(path):
        body = json.loads(path.read_text(encoding=_ENCODING))
    names, rows = _table(path, body, columns)
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
    except OSError as error:
        raise UnreadableData(f"{path}: cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise UnreadableData(f"{path}: not JSON, or cut short ({error})") from error
    except UnicodeDecodeError as error:
        raise UnreadableData(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start})") from error
    except (csv.Error, pd.errors.ParserError) as error:
        raise UnreadableData(f"{path}: not a CSV table ({error})") from error


def _check_fields(path: Path) -> None:
    with path.open(encoding=_ENCODING, newline="") as file:
        lines = csv.reader(file, strict=True)
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


def _table(path: Path, body: Any, columns: Sequence[str]) -> tuple[Sequence[str], list[Any]]:
    """Return the column names and the rows of a request."""
    match body:
        case {"input_data": list(rows)}:
            return columns, rows
        case {"input_data": {"columns": list(names), "data": list(rows)}}:
            return [str(name) for name in names], rows
    forms = '{"input_data": [[...], ...]} or {"input_data": {"columns": [...], "data": [[...], ...]}}'
    raise UnreadableData(f"{path}: a request is {forms}")

"""Which tables of patients may be trained on: reads one, and says what is wrong with one that may not."""

import csv
from pathlib import Path

import pandas as pd

from diabetes.errors import DataError
from diabetes.schema import COLUMNS, FEATURE_COLUMNS, FEATURES, LABEL, Column

_ENCODING = "utf-8-sig"
"""UTF-8, with or without the mark at its beginning that Excel writes."""
_LABEL_COLUMN = next(column for column in COLUMNS if column.name == LABEL)


def read(path: Path) -> pd.DataFrame:
    """Read and `check` a CSV file. Raises `DataError` when it is missing, no table, or breaks the schema."""
    try:
        _check_fields(path)
        table = pd.read_csv(path, encoding=_ENCODING)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path}: not a CSV table ({str(error).strip()})") from error
    try:
        return check(table)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _check_fields(path: Path) -> None:
    """Refuse what pandas would read as something else: it shifts all columns of a line with one field too many."""
    with path.open(encoding=_ENCODING, newline="") as file:
        lines = csv.reader(file, strict=True)
        header = next(lines, [])
        if twice := next((name for place, name in enumerate(header) if name in header[:place]), None):
            raise DataError(f"{path}: column '{twice}' is in the header twice")
        for fields in filter(None, lines):
            if len(fields) != len(header):
                found = f"line {lines.line_num} has {len(fields)} fields, the header {len(header)}"
                raise DataError(f"{path}: {found}; was the file cut short?")


def check(table: pd.DataFrame) -> pd.DataFrame:
    """Return the features (all float64, in schema order) and the label (int64) of a table that keeps the schema.

    Every other column, the patient's identifier among them, is left out here, so none can reach a model. Features are
    float64 whatever they count: what a model is trained on is then what its signature promises (see `saving`).
    Raises `DataError` naming the first column that is missing, not a number, empty in places, or out of range.
    """
    wanted = [*FEATURES, LABEL]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise DataError(f"columns missing: {', '.join(missing)}; found: {', '.join(map(str, table.columns))}")
    if table.empty:
        raise DataError("no rows")
    numbers = pd.DataFrame({name: _numbers(table[name]) for name in wanted})
    for column in (*FEATURE_COLUMNS, _LABEL_COLUMN):
        _check_range(numbers[column.name], column)
    return numbers.astype({LABEL: "int64"})


def _numbers(values: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(values):
        raise DataError(f"{values.name}: numbers wanted, found {values.dtype} such as {values.iloc[0]!r}")
    if values.isna().any():
        raise DataError(f"{values.name}: {int(values.isna().sum())} of {len(values)} values are missing")
    return values.astype("float64")


def _check_range(values: pd.Series, column: Column) -> None:
    """Refuse what no patient has. A column in a foreign unit is the costliest mistake, since all else still runs."""
    valid = values.between(column.minimum, column.maximum)
    if column.dtype == "int64":
        valid &= values % 1 == 0
    wrong = values[~valid]
    if not wrong.empty:
        raise DataError(
            f"{column.name}: {len(wrong)} of {len(values)} values are no {column.dtype} from {column.minimum:g} to "
            f"{column.maximum:g} ({column.unit}), the first is {wrong.iloc[0]:g} in row {wrong.index[0]}; "
            "is the column in another unit?"
        )

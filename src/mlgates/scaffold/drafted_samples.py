"""The samples of both endpoints: rows that nobody is, made of what is typical of each column."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from mlgates.scaffold.columns import Column, Kind

SHARES = (0.5, 0.25, 0.75)
"""Of each number and date, the value that so many of the rows are below: a row each."""
_WORD = re.compile(r"\w{2,}")


def draft_rows(features: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the rows: quantiles of numbers and dates, frequent categories, and the most frequent words of texts."""
    columns = {column.name: _values(column) for column in features}
    return [{name: values[row] for name, values in columns.items()} for row in range(len(SHARES))]


def online_request(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as Azure takes them for named columns."""
    data = [list(row.values()) for row in rows]
    body = {"columns": list(rows[0]), "index": list(range(len(rows))), "data": data}
    return json.dumps({"input_data": body}, indent=1, ensure_ascii=False) + "\n"


def batch_file(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
    return text.getvalue()


def _values(column: Column) -> list[Any]:
    match column.kind:
        case Kind.NUMBER:
            return [_number(column, share) for share in SHARES]
        case Kind.BOOLEAN:
            return [True, False, True]
        case Kind.DATE:
            days = pd.to_datetime(column.texts.dropna(), format="ISO8601").sort_values()
            return [f"{days.iloc[int(share * (len(days) - 1))]:%Y-%m-%dT%H:%M:%S}" for share in SHARES]
        case Kind.TEXT:
            found = Counter(word for text in column.texts.dropna().head(5000) for word in _WORD.findall(text))
            frequent = [word for word, _ in found.most_common(18)] or ["word"]
            return [" ".join(frequent[start::3]) for start in range(len(SHARES))]
    words = column.words
    return [words[row % len(words)] for row in range(len(SHARES))]


def _number(column: Column, share: float) -> float | int:
    value = float(f"{column.numbers.quantile(share):.6g}")
    return int(value) if column.whole and value.is_integer() else round(value) if column.whole else value

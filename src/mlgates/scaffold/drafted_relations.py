"""What a drafted suite says of rows together: class shares, columns that grow, keys of two; each with its profile."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from mlgates.scaffold.columns import Column, Kind
from mlgates.scaffold.drafted_suites import Expectation, draft_training_suite
from mlgates.scaffold.target import Target

ROWS = 10
"""In fewer rows, an order is chance."""
_KEYS = 12
"""Columns that a key of two is looked for among."""
_APART = 0.1
"""How far shares of classes may move, as their relative entropy: a class of a half that becomes 0.7 is at 0.08."""


def draft_whole_suite(columns: list[Column], target: Target, rows: int) -> str:
    """Return the suite of a training set, with the profile of the column that led to each expectation in its `meta`."""
    suite = json.loads(draft_training_suite(columns, target, rows))
    suite["expectations"] += [*_class_shares(target), *_growing(columns, rows), *_keys(columns)]
    known = {each.name: each for each in columns}
    for expectation in suite["expectations"]:
        column = known.get(str(expectation["kwargs"].get("column")))
        expectation["meta"] = {"profile": profile_of(column) if column else {"rows": rows, "columns": len(columns)}}
    return json.dumps(suite, indent=2, ensure_ascii=False) + "\n"


def profile_of(column: Column) -> dict[str, Any]:
    """Return what was found in a column."""
    words = column.words
    found: dict[str, Any] = {
        "kind": str(column.kind),
        "rows": len(column.texts),
        "missing": round(column.missing, 4),
        "different": len(words),
    }
    if column.kind is Kind.NUMBER:
        numbers = column.numbers
        found |= {"least": float(numbers.min()), "mean": float(numbers.mean()), "most": float(numbers.max())}
    elif words:
        shares = column.texts.dropna().value_counts(normalize=True)
        found["most frequent"] = {str(name): round(float(share), 4) for name, share in shares.head(5).items()}
    return found


def hints(columns: list[Column], target: Target, rows: int) -> list[str]:
    """Return what a person should look at that is no expectation: groups of rows, and an order in time."""
    return [*_groups(columns, target, rows), *_times(columns, rows)]


def _class_shares(target: Target) -> Iterator[Expectation]:
    if not target.classes:
        return
    shares = target.column.typed.dropna().value_counts(normalize=True)
    values = [each.item() if hasattr(each, "item") else each for each in shares.index]
    shown = ", ".join(f"{name} {share:.1%}" for name, share in zip(values[:5], shares.head(5), strict=True))
    why = f"At first: {shown}. Other shares: were rows of one class lost or repeated, or the label turned round?"
    weights = [float(each) for each in shares]
    yield _expect(
        "column_kl_divergence_to_be_less_than",
        why,
        column=target.column.name,
        partition_object={"values": values, "weights": weights},
        threshold=_APART,
    )


def _growing(columns: list[Column], rows: int) -> Iterator[Expectation]:
    for column in columns:
        numeric = column.typed.dtype.kind in "iuf"
        if rows < ROWS or not numeric or column.missing or column.typed.nunique() < 2:
            continue
        if column.typed.is_monotonic_increasing:
            why = "Each value was as large as the one before, or larger. A smaller one: were rows mixed, or lost?"
            yield _expect("column_values_to_be_increasing", why, column=column.name, strictly=False)


def _keys(columns: list[Column]) -> Iterator[Expectation]:
    """Yield the first two columns that together name a row, where none does alone."""
    if any(each.kind is Kind.IDENTIFIER and each.texts.is_unique for each in columns):
        return
    candidates = [each for each in columns if _names_something(each)][:_KEYS]
    for one, other in combinations(candidates, 2):
        pairs = one.texts.fillna("") + "\0" + other.texts.fillna("")
        if pairs.is_unique and len(one.words) > 1 and len(other.words) > 1:
            why = f"{one.name} and {other.name} together named the row. The same twice: were rows appended twice?"
            yield _expect("compound_columns_to_be_unique", why, column_list=[one.name, other.name])
            return


def _names_something(column: Column) -> bool:
    """Return whether a column may be part of a key: no measurement and no sentence."""
    if column.kind is Kind.NUMBER:
        return column.whole
    return column.kind in {Kind.CATEGORY, Kind.DATE, Kind.IDENTIFIER}


def _groups(columns: list[Column], target: Target, rows: int) -> Iterator[str]:
    for column in columns:
        different = len(column.words)
        shared = rows / different if different else 0
        if column.kind is Kind.IDENTIFIER and column.name != target.column.name and shared >= 1.5:
            yield (
                f"{column.name}: {different} values, {shared:.1f} rows each. If these are of one person or thing, say "
                f"so in mlops/training.yml (group: {column.name}), so that no value is on both sides of the split"
            )


def _times(columns: list[Column], rows: int) -> Iterator[str]:
    for column in columns:
        if column.kind is Kind.DATE and rows >= ROWS and column.texts.dropna().is_monotonic_increasing:
            yield (
                f"{column.name}: the rows come in its order. If the model is to predict what comes later, say so in "
                f"mlops/training.yml (time: {column.name})"
            )


def _expect(kind: str, notes: str, **settings: Any) -> Expectation:
    return {"type": f"expect_{kind}", "kwargs": settings, "meta": {}, "notes": notes, "severity": "critical"}

"""A repository from a table: everything is drafted in a folder beside, and moved to its place when it is whole."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates import tables
from mlgates.core.errors import ConfigurationError
from mlgates.core.files import sha256_of_path
from mlgates.scaffold import drafted_samples, drafted_suites, origin, pins, repository
from mlgates.scaffold.choices import Task
from mlgates.scaffold.columns import Column, Kind, read_columns
from mlgates.scaffold.errors import UnsuitableData
from mlgates.scaffold.limits import CHOSEN_BY, FirstTraining, train_first
from mlgates.scaffold.rendering import python_module_of, render
from mlgates.scaffold.target import Target, find_target, read_target

COMMITTED_MB = 20
"""A training set of at most so much is committed; a larger one is ignored by git."""
RUFF = "0.17.6"
"""The linter of a made project."""
_GROUPS = {
    "numbers": Kind.NUMBER,
    "booleans": Kind.BOOLEAN,
    "categories": Kind.CATEGORY,
    "texts": Kind.TEXT,
    "dates": Kind.DATE,
}
_ENCODING = "utf-8-sig"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a project is to be made of."""

    file: Path
    columns: list[Column]
    rows: int
    content: bytes
    """As it goes into the project: CSV parted by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked of `mlgates init`."""

    target: str
    task: Task | None = None
    name: str
    into: Path
    ci: str = "github"
    vendor: bool = False


def read_table(file: Path) -> Table:
    """Return the table of a file with the kind of each column. Raises `UnreadableData` as the one reader does."""
    content = _as_csv(file)
    typed = pd.read_csv(io.BytesIO(content), encoding=_ENCODING, low_memory=False)
    texts = pd.read_csv(io.BytesIO(content), encoding=_ENCODING, dtype=str)
    return Table(file, read_columns(typed, texts), len(typed), content)


def _as_csv(file: Path) -> bytes:
    """Return a table's content as CSV parted by commas: as it is, where it is that already."""
    found = tables.read_table(file)
    if file.is_file() and file.suffix.lower() == ".csv":
        content = file.read_bytes()
        header = next(csv.reader(io.StringIO(content.decode(_ENCODING), newline="")))
        if len(header) == len(found.columns):
            return content
    # As it is written: a code keeps its zeros. What is typed, as Parquet is, keeps its types.
    return tables.read_table(file, list(found.columns)).to_csv(index=False).encode()


def check_place(into: Path) -> None:
    """Raise `ConfigurationError` for a place where something is already."""
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise ConfigurationError(f"{into} is there already: name another folder with --into")


def make(table: Table, wishes: Wishes, *, say: Say) -> Path:
    """Make the repository; return its folder. What fails leaves nothing behind."""
    check_place(wishes.into)
    package = python_module_of(wishes.name)
    target = read_target(find_target(table.columns, wishes.target), wishes.task)
    features = [each for each in table.columns if each.kind.feature and each.name != target.column.name]
    if not features:
        raise UnsuitableData(f"no column of {table.file} but the label tells one row from another")
    say(f"label {target.column.name}: {target.task}" + (f", classes {_shown(target)}" if target.classes else ""))
    wishes.into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlgates-init-", dir=wishes.into.parent) as scratch:
        root = Path(scratch) / "project"
        _fill(root, table, target, features, wishes, package, say)
        repository.begin(root, version("mlgates"))
        if wishes.into.exists():
            wishes.into.rmdir()
        shutil.move(root, wishes.into)
    return wishes.into


def _fill(
    root: Path, table: Table, target: Target, features: list[Column], wishes: Wishes, package: str, say: Say
) -> None:
    answers = _answers(table, target, features, wishes, package)
    data = root / answers["data"]["path"]
    _put_data(table, target, data)
    answers["data"]["committed"] = data.stat().st_size <= COMMITTED_MB * 1e6
    render(answers, root)
    say("a first training, so that the limits come from figures")
    first = train_first(root / "src", package, data, target.task)
    say(f"estimator {first.estimator}: {first.reason}")
    answers |= _judged(first, target)
    answers["told"] = list(_told(table, target, features, first))
    render(answers, root)
    _put_drafts(root, package, table, target, features)
    _put_lock(root, wishes.vendor, say)


def _answers(table: Table, target: Target, features: list[Column], wishes: Wishes, package: str) -> dict[str, Any]:
    slug = package.replace("_", "-")[:18].strip("-")
    groups = {name: [each.name for each in features if each.kind is kind] for name, kind in _GROUPS.items()}
    left_out = [each for each in table.columns if not each.kind.feature and each.name != target.column.name]
    return {
        "name": wishes.name,
        "package": package,
        "slug": slug,
        "short": slug.replace("-", "")[:9],
        "ci": wishes.ci,
        "task": str(target.task),
        "label": {
            "name": target.column.name,
            "dtype": target.dtype,
            "classes": list(target.classes),
            "positive": target.positive,
        },
        "data": {"source": table.file.name, "path": f"data/{slug}.csv", "rows": table.rows, "committed": True},
        "columns": {
            **groups,
            "left_out": [each.name for each in left_out],
            "identifiers": [each.name for each in left_out if each.kind is Kind.IDENTIFIER],
            "count": len(features),
        },
        "trusted_types": [],
        "python": pins.python(),
        "training_pins": pins.training_pins(),
        "ruff": RUFF,
        "estimator": "linear",
        "estimator_reason": "",
        "limits": {"metrics": {}, "size_mb": 50, "splits": 0},
        "champion": {},
        "told": [],
        "warn_only": ["explanation"] if target.task is Task.REGRESSION else ["explanation", "calibration"],
    }


def _judged(first: FirstTraining, target: Target) -> dict[str, Any]:
    limits = {name: {"min": limit.min, "why": limit.why} for name, limit in first.metrics.items()}
    return {
        "estimator": first.estimator,
        "trusted_types": list(first.trusted_types),
        "estimator_reason": first.reason,
        "limits": {"metrics": limits, "size_mb": first.size_mb, "splits": first.splits},
        "champion": {"metric": CHOSEN_BY[target.task], "margin": 0.02},
    }


def _put_data(table: Table, target: Target, into: Path) -> None:
    """Copy the table; rows without a label are left out of the copy."""
    into.parent.mkdir(parents=True, exist_ok=True)
    if target.column.missing:
        texts = pd.read_csv(io.BytesIO(table.content), encoding=_ENCODING, dtype=str)
        texts.dropna(subset=[target.column.name]).to_csv(into, index=False)
    else:
        into.write_bytes(table.content)
    # What lies beside a training set with its checksum becomes tags of the data asset.
    facts = {"origin": table.file.name, "sha256": sha256_of_path(into)}
    into.with_suffix(".origin.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _put_drafts(root: Path, package: str, table: Table, target: Target, features: list[Column]) -> None:
    rows = drafted_samples.draft_rows(features)
    suites = root / "data" / "expectations"
    suites.mkdir(parents=True, exist_ok=True)
    labelled = int(target.column.texts.notna().sum())
    suite = drafted_suites.draft_training_suite(table.columns, target, labelled)
    (suites / "training-set.json").write_text(suite, encoding="utf-8")
    (suites / "sample.json").write_text(drafted_suites.draft_sample_suite(features), encoding="utf-8")
    (root / "data" / "online-sample.json").write_text(drafted_samples.online_request(rows), encoding="utf-8")
    (root / "data" / "batch-sample.csv").write_text(drafted_samples.batch_file(rows), encoding="utf-8")
    example = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    (root / "src" / package / "example.json").write_text(example, encoding="utf-8")


def _put_lock(root: Path, vendored: bool, say: Say) -> None:
    found = origin.origins()
    if not vendored and not all(each.requirement for each in found):
        say("mlgates was installed from an index, which need not have it elsewhere: its wheels go into vendor/")
        vendored = True
    ours = origin.vendor(root / origin.VENDOR) if vendored else [each.requirement for each in found]
    head = [
        "# Exact versions of all that this project needs. First where mlgates comes from, then what it was tried with."
    ]
    (root / "requirements.lock").write_text("\n".join([*head, *ours, *pins.lock(), ""]), encoding="utf-8")


def _told(table: Table, target: Target, features: list[Column], first: FirstTraining) -> "list[str]":
    """Return what was decided from the data, for the README."""
    kinds = pd.Series([str(each.kind) for each in features]).value_counts()
    lines = [
        f"`{target.column.name}` is the label; the task is {target.task}"
        + (f", with the classes {_shown(target)}." if target.classes else "."),
        "Features: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + " (`schema.py`).",
        f"The estimator `{first.estimator}`: {first.reason}.",
        f"The limits in `mlops/gates.yml`: from {first.splits} splits of a first training.",
    ]
    left = [f"`{each.name}` ({each.kind})" for each in table.columns if not each.kind.feature]
    if left:
        lines.insert(2, f"No features: {', '.join(left)}.")
    if dropped := int(target.column.texts.isna().sum()):
        lines.insert(1, f"{dropped} of {table.rows} rows have no label, and are left out of the copy of the data.")
    return lines


def _shown(target: Target) -> str:
    return ", ".join(map(str, target.classes[:10])) + (", ..." if len(target.classes) > 10 else "")

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mlgates.core.gates import CheckResult
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks.signature import SignatureConfig, check
from tests.unit.mlgates.gates.fakes import FakeModel, evidence


def model(folder: Path, name: str, *columns: str) -> FakeModel:
    """A model whose signature has these columns; without any it has no signature."""
    (folder / name).mkdir()
    inputs = json.dumps([{"type": "double", "name": column} for column in columns])
    signature = {"signature": {"inputs": inputs, "outputs": "[]"}} if columns else {}
    (folder / name / "MLmodel").write_text(yaml.safe_dump({"flavors": {}, **signature}))
    return FakeModel(name, folder=folder / name)


def judged(candidate: FakeModel, champion: FakeModel | None) -> CheckResult:
    (result,) = check(SignatureConfig(), replace(evidence([0], [0]), the_candidate=candidate, champion=champion))
    return result


def test_the_same_signature_holds(tmp_path: Path) -> None:
    assert judged(model(tmp_path, "new", "age", "bmi"), model(tmp_path, "old", "age", "bmi")).holds


def test_a_renamed_column_breaks_callers(tmp_path: Path) -> None:
    found = judged(model(tmp_path, "new", "years", "bmi"), model(tmp_path, "old", "age", "bmi"))
    assert not found.holds
    assert found.evidence["changes"][0].startswith("breaking: input 'age' is gone")


def test_a_candidate_without_a_signature_does_not_hold(tmp_path: Path) -> None:
    found = judged(model(tmp_path, "new"), None)
    assert not found.holds
    assert "the model has no signature" in found.reason


def test_the_first_release_needs_a_signature_alone(tmp_path: Path) -> None:
    assert judged(model(tmp_path, "new", "age"), None).holds


def test_a_champion_without_a_signature_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match=r"champion old: .*the model has no signature"):
        judged(model(tmp_path, "new", "age"), model(tmp_path, "old"))

"""What a gate fetches from a workspace: each table once, and a download that fails is a check that cannot run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from mlgates.core.errors import AssetMissing
from mlgates.core.values import AssetVersion
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import EvaluationConfig
from tests.unit.mlgates.gates.fakes import FakeModel

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.gates.workspace import WorkspaceEvidence

SIGNATURE = {"inputs": json.dumps([{"type": "double", "name": "age"}]), "outputs": "[]"}


@pytest.fixture
def model(tmp_path: Path) -> FakeModel:
    """A model of one feature, trained on patients:1 by the job `first`."""
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"signature": SIGNATURE}))
    return FakeModel(folder=tmp_path, tags={"data": "patients:1", "job": "first"})


@pytest.fixture
def fetched() -> list[str]:
    """What was downloaded so far."""
    return []


@pytest.fixture
def source(tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., "WorkspaceEvidence"]:
    """Makes evidence from a workspace that holds three patients; with `gone`, it has lost what is asked for."""
    from mlgates.gates import workspace as module  # noqa: PLC0415 - brings in azure-ai-ml

    def holding(*, gone: bool = False) -> "WorkspaceEvidence":
        def give(name: str, content: str) -> Callable[..., Path]:
            def download(_: Any, asset: str, *__: Any) -> Path:
                if gone:
                    raise AssetMissing(f"{asset} is not there")
                fetched.append(str(asset))
                (tmp_path / name).write_text(content)
                return tmp_path / name

            return download

        monkeypatch.setattr(module, "download_table", give("patients.csv", "id,age,ill\n7,20,0\n8,30,1\n9,40,0\n"))
        monkeypatch.setattr(module, "download_artifact", give("held_out.json", '{"rows": [2, 1], "of": 3}'))
        monkeypatch.setattr(module, "download_model", give("MLmodel", "flavors: {}"))
        return module.WorkspaceEvidence(cast("MLClient", None), tmp_path, EvaluationConfig(label="ill"))

    return holding


def test_held_out_rows_are_those_that_the_job_names(
    source: Callable[..., "WorkspaceEvidence"], model: FakeModel
) -> None:
    found = source().held_out(model)
    assert found.features.to_dict("list") == {"age": [40.0, 30.0]}
    assert list(found.labels) == [0, 1]


def test_a_table_is_fetched_once(
    source: Callable[..., "WorkspaceEvidence"], model: FakeModel, fetched: list[str]
) -> None:
    evidence = source()
    assert evidence.training_set(model) is evidence.training_set(model)
    assert fetched == ["patients:1"]


def test_a_model_is_known_by_its_files_and_tags(source: Callable[..., "WorkspaceEvidence"]) -> None:
    found = source().model(AssetVersion("classifier", "3", created=False, tags={"job": "first"}))
    assert (str(found), len(found.sha256), found.tags) == ("classifier:3", 64, {"job": "first"})


@pytest.mark.parametrize(
    ("ask", "remedy"),
    [
        ("training_set", "register the model by mlgates"),
        ("held_out", "log held_out.json in training: the rows set aside (docs/gates.md)"),
    ],
)
def test_what_is_not_there_says_what_to_do(
    source: Callable[..., "WorkspaceEvidence"], model: FakeModel, ask: str, remedy: str
) -> None:
    with pytest.raises(CouldNotRun, match="is not there") as stopped:
        getattr(source(gone=True), ask)(model)
    assert stopped.value.remedy == remedy


def test_a_model_without_a_signature_has_no_features_to_draw(
    source: Callable[..., "WorkspaceEvidence"], model: FakeModel
) -> None:
    (model.folder / "MLmodel").write_text("flavors: {}")
    with pytest.raises(CouldNotRun, match="the model has no signature"):
        source().held_out(model)


def test_each_model_is_asked_with_the_columns_of_its_own_signature(
    source: Callable[..., "WorkspaceEvidence"], model: FakeModel, tmp_path: Path
) -> None:
    columns = [{"type": "string", "name": "id"}, {"type": "long", "name": "age"}]
    (tmp_path / "other").mkdir()
    signature = {"inputs": json.dumps(columns), "outputs": "[]"}
    (tmp_path / "other" / "MLmodel").write_text(yaml.safe_dump({"signature": signature}))
    other = FakeModel("classifier:1", folder=tmp_path / "other")
    evidence = source()
    assert evidence.features(other, model).to_dict("list") == {"id": ["9", "8"], "age": [40, 30]}
    assert evidence.held_out(model).features.to_dict("list") == {"age": [40.0, 30.0]}
    assert evidence.features(other, model).to_dict("list") == {"id": ["9", "8"], "age": [40, 30]}

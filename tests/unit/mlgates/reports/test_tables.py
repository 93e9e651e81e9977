import io

from rich.console import Console

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Inventory, Job
from mlgates.reports.tables import inventory_tables

LINEAGE = Lineage("job-7", "c0ffee" * 7, "True", "patients:3", "ab" * 32, "stand-in", "env:2", {"accuracy": 0.78894})
EMPTY = Inventory((), (), (), (), mlflow="https://127.0.0.1:1/mlflow")
FULL = Inventory(
    environments=(AssetVersion("env", "2", created=False, tags={"content_sha256": "cd" * 32, "framework": "x"}),),
    data=(AssetVersion("patients", "3", created=False, tags={"sha256": "ab" * 32, "origin": "[stand-in]"}),),
    jobs=(Job("job-7", "exp", "Completed", "https://look", {"data": "patients:3"}), Job("job-6", "exp", "Failed")),
    models=(AssetVersion("classifier", "1", created=False, tags=LINEAGE.to_tags()),),
    mlflow="https://127.0.0.1:1/mlflow",
)


def shown(inventory: Inventory) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(inventory_tables(inventory))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_empty_workspace_says_none_of_each_kind() -> None:
    assert shown(EMPTY).count("none yet") == 4


def test_where_mlflow_is_stands_at_the_end() -> None:
    assert shown(EMPTY).splitlines()[-1] == "MLflow: https://127.0.0.1:1/mlflow"


def test_assets_are_shown_with_a_comparable_checksum_and_their_tags() -> None:
    text = shown(FULL)
    assert "env:2" in text
    assert "cdcdcdcdcdcd " in text
    assert "origin=[stand-in]" in text


def test_jobs_are_shown_with_their_state_and_page() -> None:
    text = shown(FULL)
    assert "https://look" in text
    assert "Failed" in text


def test_a_model_is_shown_with_its_lineage() -> None:
    (line,) = [line for line in shown(FULL).splitlines() if "classifier:1" in line]
    for fact in ("job-7", "c0ffeec0ffee and local changes", "patients:3 (stand-in)", "env:2", "accuracy 0.7889"):
        assert fact in line

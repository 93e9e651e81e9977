import io
from dataclasses import replace

import pytest
from rich.console import Console

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Inventory, Job
from mlgates.reports.tables import inventory_tables, where_to_look

LINEAGE = Lineage("job-7", "c0ffee" * 7, "True", "patients:3", "ab" * 32, "stand-in", "env:2", {"accuracy": 0.78894})
EMPTY = Inventory((), (), (), ())
FULL = Inventory(
    environments=(AssetVersion("env", "2", created=False, tags={"content_sha256": "cd" * 32, "framework": "x"}),),
    data=(AssetVersion("patients", "3", created=False, tags={"sha256": "ab" * 32, "origin": "[stand-in]"}),),
    jobs=(
        Job("job-7", "exp", "Completed", "https://look", "https://mlflow", {"data": "patients:3"}),
        Job("job-6", "exp", "Failed"),
    ),
    models=(AssetVersion("classifier", "1", created=False, tags=LINEAGE.to_tags()),),
)


def shown(inventory: Inventory, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(inventory_tables(inventory))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_empty_workspace_says_none_of_each_kind() -> None:
    assert shown(EMPTY).count("none yet") == 4


def test_the_newest_job_and_its_mlflow_are_where_to_look() -> None:
    assert list(where_to_look(FULL)) == ["newest job  https://look", "MLflow      https://mlflow"]


@pytest.mark.parametrize("jobs", [(), (Job("j", "e", "Running"),)])
def test_without_a_page_there_is_nowhere_to_look(jobs: tuple[Job, ...]) -> None:
    assert list(where_to_look(replace(EMPTY, jobs=jobs))) == []


def test_assets_are_shown_with_a_comparable_checksum_and_their_tags() -> None:
    text = shown(FULL)
    assert "env:2" in text
    assert "cdcdcdcdcdcd " in text
    assert "origin=[stand-in]" in text


def test_jobs_are_shown_with_their_state() -> None:
    (line,) = [line for line in shown(FULL).splitlines() if line.startswith("job-6")]
    assert "Failed" in line


def test_a_model_is_shown_with_its_lineage() -> None:
    text = shown(FULL)
    facts = "job job-7", "commit c0ffeec0ffee and local changes", "data patients:3, origin stand-in", "accuracy 0.7889"
    assert [fact for fact in facts if fact not in text] == []


def test_names_stay_whole_on_a_narrow_terminal() -> None:
    assert "classifier:1" in shown(FULL, width=40)

"""The suite for data passes files that are right, and finds what is planted in them and in what they are held to."""

import json

import pytest

from mlgates.evaluation.target import EvaluationConfig
from mlgates.suites.drawn_tables import draw_table, read_schema
from tests.contract.mlgates.suites.planted import failed, loaded, project, run
from tests.contract.mlgates.suites.shop_project import write_project

pytest_plugins = ("pytester",)
__all__ = ["loaded", "project"]
DATA = "tests/data/test_data.py"
SUITE = "data/expectations/training-set.json"
NO_SAMPLES = "not sample"
"""The shop has no endpoints."""


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """The shop, with some orders."""
    write_project(project.path)
    (project.path / "tests" / "data").mkdir()
    (project.path / DATA).write_text("from mlgates.suites import DataSuite\n\n\nclass TestData(DataSuite):\n    pass\n")
    declared = project.path / "mlops" / "continuous-training" / "dataset.yml"
    declared.write_text("type: uri_file\npath: ../../data/orders.csv\n")
    schema = read_schema(project.path / SUITE, EvaluationConfig(label="returned"))
    draw_table(schema, 0, 60).to_csv(project.path / "data" / "orders.csv", index=False)
    return project


def test_data_that_is_right_passes(shop: pytest.Pytester) -> None:
    run(shop, DATA, NO_SAMPLES).assert_outcomes(passed=5, deselected=2)


def test_a_row_that_breaks_the_suite_is_found(shop: pytest.Pytester) -> None:
    with (shop.path / "data" / "orders.csv").open("a") as file:
        file.write("9000,5000.0,3,DE,web,True,yes\n")
    assert failed(run(shop, DATA, NO_SAMPLES)) == {"the_training_set_meets_its_suite"}


def test_a_class_that_the_gates_do_not_declare_is_found(shop: pytest.Pytester) -> None:
    (shop.path / "mlops" / "gates.yml").write_text("evaluation: {label: returned, classes: ['yes', maybe]}\n")
    assert failed(run(shop, DATA, NO_SAMPLES)) == {"the_label_is_what_the_gates_declare"}


def test_a_suite_that_takes_any_columns_is_found(shop: pytest.Pytester) -> None:
    stored = json.loads((shop.path / SUITE).read_text())
    del stored["expectations"][0]
    (shop.path / SUITE).write_text(json.dumps(stored))
    assert failed(run(shop, DATA, NO_SAMPLES)) == {"a_missing_and_a_further_column_are_noticed"}

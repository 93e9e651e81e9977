"""The suite for data: training set and samples meet their expectation suites, which would notice if they did not."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlgates.config.declaring import read_yaml
from mlgates.config.project import Project, find_project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import MlgatesError
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import Task, find_target
from mlgates.expectations.validation import load_suite, validate
from mlgates.gates.declaration import read_gates
from mlgates.suites.drawn_tables import Content, TableSchema, draw_table, expected_columns, read_schema
from mlgates.suites.training_config import read_training
from mlgates.tables import read_request, read_table

FOLDER = Path("data", "expectations")


class DataSuite:
    """What a project's files of data must hold: `data/expectations` has a suite for the training set and the samples.

    Those of the samples are `batch-sample.json` and `online-sample.json`, or one `sample.json` for both.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, pytestconfig: pytest.Config) -> Project:
        """The project."""
        return find_project(pytestconfig.rootpath)

    @pytest.fixture(scope="class")
    @classmethod
    def names(cls, project: Project) -> Settings:
        """The project's names."""
        return load_settings(project, "local", environ=os.environ)

    @pytest.fixture(scope="class")
    @classmethod
    def training_suite(cls, project: Project) -> Path:
        """The expectation suite of the training set."""
        config = read_training(project.training_file, project.shown(project.training_file), needs_function=False)
        return project.root / config.suite

    @pytest.fixture(scope="class")
    @classmethod
    def training_set(cls, project: Project) -> pd.DataFrame:
        """The training set that dataset.yml declares, where it is a file here."""
        file = project.training / "dataset.yml"
        path = str(read_yaml(file, project.shown(file), "it declares the training set")["path"])
        place = (file.parent / path).resolve()
        if "://" in path or path.startswith("azureml:") or not place.exists():
            pytest.skip(f"needs the training set, not here: {path}")
        return read_table(place)

    @pytest.fixture(scope="class")
    @classmethod
    def schema(cls, project: Project, training_suite: Path) -> TableSchema:
        """What the suite of the training set says of a table."""
        evaluation = read_gates(project.gates_file, project.shown(project.gates_file)).evaluation
        return read_schema(training_suite, evaluation)

    def test_the_training_set_meets_its_suite(self, training_set: pd.DataFrame, training_suite: Path) -> None:
        """Before a model is trained on it."""
        result = validate(training_set, load_suite(training_suite))
        assert result.passed, result.summary

    def test_the_label_is_what_the_gates_declare(self, training_set: pd.DataFrame, schema: TableSchema) -> None:
        """Of the declared task, with the declared classes."""
        label = schema.evaluation.label
        if schema.evaluation.task is Task.NONE:
            pytest.skip("no label is declared (evaluation.task: none)")
        try:
            find_target(schema.evaluation, training_set.get(label))
        except CouldNotRun as error:
            raise pytest.fail.Exception(f"{error}. {error.remedy}", pytrace=False) from None

    def test_the_batch_sample_meets_its_suite(self, project: Project, names: Settings) -> None:
        """What is sent to the batch endpoint to try it."""
        suite = _sample_suite(project, "batch")
        result = validate(read_table(project.root / names.batch_sample_request), load_suite(suite))
        assert result.passed, result.summary

    def test_the_online_sample_meets_its_suite(self, project: Project, names: Settings) -> None:
        """What is sent to the online endpoint to try it."""
        suite = _sample_suite(project, "online")
        sample = read_request(project.root / names.online_sample_request, expected_columns(suite))
        result = validate(sample, load_suite(suite))
        assert result.passed, result.summary

    def test_every_suite_can_be_used(self, project: Project) -> None:
        """Each file of data/expectations is one that Great Expectations understands whole."""
        files = sorted((project.root / FOLDER).glob("*.json"))
        assert files, f"{FOLDER} has no suites"
        for file in files:
            try:
                load_suite(file)
            except MlgatesError as error:
                raise pytest.fail.Exception(str(error), pytrace=False) from None

    def test_a_value_out_of_its_range_is_noticed(self, training_suite: Path, schema: TableSchema) -> None:
        """Of each column with a range: a suite that cannot fail proves nothing."""
        table = draw_table(schema, 0, 50, gaps=False)
        numbers = {Content.NUMBER, Content.WHOLE}
        ranged = [each for each in schema.columns if each.content in numbers and each.high is not None]
        if not ranged:
            pytest.skip("the suite has no ranges")
        for column in ranged:
            beyond = float(column.high or 0) * 2 + 1000
            table[column.name] = np.where(np.arange(len(table)) < 25, beyond, table[column.name])
        failed = {each.column for each in validate(table, load_suite(training_suite)).failed}
        missed = [each.name for each in ranged if each.name not in failed]
        assert not missed, f"half of the values far out of range, and nothing says so: {', '.join(missed)}"

    def test_a_missing_and_a_further_column_are_noticed(self, training_suite: Path, schema: TableSchema) -> None:
        """By the suite of the training set."""
        table = draw_table(schema, 0, 50, gaps=False)
        suite = load_suite(training_suite)
        for other in (table.drop(columns=table.columns[0]), table.assign(mlgates_further=1)):
            failed = validate(other, suite).failed
            assert any("table_columns" in each.expectation for each in failed), (
                "a table with other columns is taken: add expect_table_columns_to_match_ordered_list"
            )


def _sample_suite(project: Project, kind: str) -> Path:
    files = [project.root / FOLDER / name for name in (f"{kind}-sample.json", "sample.json")]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        pytest.skip(f"no suite for the sample: {' or '.join(project.shown(file) for file in files)}")
    return found

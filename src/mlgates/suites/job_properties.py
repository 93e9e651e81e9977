"""The suite for a training job: what it records is complete, true, and to be served as it is.

The declared command (mlops/continuous-training/pipeline.yml) runs once, in a copy of its snapshot, on a drawn table.
`class TestTrainingJob(TrainingJobSuite)` has them in a project's tests; nothing but the job is declared for it.
"""

import re
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
import pytest

from mlgates.contract.model_folder import read_contract
from mlgates.core.errors import MlgatesError
from mlgates.evaluation.answers import Answers
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.held_out import HELD_OUT, read_held_out
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows, rows_of
from mlgates.evaluation.scores import find_score
from mlgates.evaluation.target import find_target
from mlgates.suites.drawn_tables import TableSchema
from mlgates.suites.job_run import JobRun, StartedJob, read_job, start_job
from mlgates.suites.metric_properties import recomputed
from mlgates.suites.training_code import TrainingCode
from mlgates.suites.training_config import UNCHECKED
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn
from mlgates.tables import read_table

_PIN = re.compile(r"^([\w.\-]+)(\[[^\]]*\])?==([^\s;]+)")


class TrainingJobSuite(TrainingFixtures):
    """What a job leaves behind, seen as a release will see it."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def started_job(
        cls, code: TrainingCode, schema: TableSchema, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[StartedJob]:
        """The job, which runs beside the first tests of a class that has others, too."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the SDK's own, when it is imported
                table, declared = drawn(code, schema, Draw(0, 0)), read_job(code.project)
                started = start_job(declared, table, tmp_path_factory.mktemp("job"))
        except MlgatesError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield started
        started.end()

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, started_job: StartedJob) -> JobRun:
        """The job that ran."""
        return started_job.wait()

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, job: JobRun) -> Model:
        """The model that it recorded."""
        if job.exit_code or not job.runs or not (job.model / "MLmodel").is_file():
            pytest.fail("the job left no model where it must be", pytrace=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about its own type hints
            import mlflow.pyfunc  # noqa: F401, PLC0415
        return Model("the logged model", job.model, sha256="", tags={})

    @pytest.fixture(scope="class")
    @classmethod
    def judged(cls, code: TrainingCode, job: JobRun, model: Model) -> tuple[Rows, Answers]:
        """The held-out rows, read as the gates read them, and what the logged model says of them."""
        try:
            table = read_table(job.data)
            contract = read_contract(job.model)
            target = find_target(code.evaluation, table[code.evaluation.label], classifier=lambda: model.classifier)
            held_out = read_held_out((job.artifacts / HELD_OUT).read_text(encoding="utf-8")).of_table(table)
            rows = rows_of(held_out, target, contract, code.evaluation)
            return rows, model.answer(rows, code.evaluation)
        except FileNotFoundError:
            raise pytest.fail.Exception(f"the run has no artifact {HELD_OUT} (docs/gates.md)", pytrace=False) from None
        except (CouldNotRun, MlgatesError) as error:
            raise pytest.fail.Exception(f"{error}. {getattr(error, 'remedy', '')}", pytrace=False) from None

    def test_the_job_ends_well(self, job: JobRun) -> None:
        """The declared command trains on a table that the suite allows."""
        assert job.exit_code == 0, f"the command ended with {job.exit_code}:\n{job.told}"

    def test_the_job_needs_nothing_but_its_snapshot(self, job: JobRun) -> None:
        """What is imported and read is installed, or part of the folder that is sent to the job."""
        names = {"modules": "modules from outside of the snapshot", "absolute": "files", "network": "addresses"}
        wrong = {names[kind]: found for kind, found in job.found.items() if found}
        assert not wrong, "; ".join(f"{kind}: {', '.join(found[:5])}" for kind, found in wrong.items())
        missing = re.search(r"No module named '([^']+)'|No such file or directory: '([^']+)'", job.told)
        assert not (job.exit_code and missing), f"a job does not have it: {missing and missing.group()}"

    def test_one_run_is_recorded(self, job: JobRun) -> None:
        """The run that Azure ML begins is the one that is logged to, and it comes to its end."""
        assert len(job.runs) == 1, f"{len(job.runs)} MLflow runs were recorded, and one job is one run:\n{job.told}"
        assert job.finished, f"MLflow's run did not finish:\n{job.told}"

    def test_the_model_is_where_it_is_registered_from(self, job: JobRun) -> None:
        """The artifact path is the one that MODEL_PATH names."""
        assert job.runs, f"no MLflow run was recorded:\n{job.told}"
        elsewhere = [file.parent.relative_to(job.artifacts).as_posix() for file in job.artifacts.rglob("MLmodel")]
        assert (job.model / "MLmodel").is_file(), (
            f"no model lies at the artifact path {job.declared.model_path} (MODEL_PATH in mlops/config-mlops.yml)"
            + (f", but at {', '.join(elsewhere)}: log it to os.environ['MODEL_PATH']" if elsewhere else "")
        )

    @pytest.mark.usefixtures("model")
    def test_the_model_has_a_signature(self, job: JobRun) -> None:
        """Requests, their schema and the comparison with the champion are drawn from it."""
        try:
            contract = read_contract(job.model)
        except MlgatesError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        assert contract.outputs, "the signature has no outputs: save the model with infer_signature(rows, predictions)"

    def test_the_model_has_an_input_example_that_it_predicts(self, job: JobRun, model: Model) -> None:
        """The example shows callers what a row is."""
        contract = read_contract(job.model)
        assert contract.example, "the model has no input example: save it with input_example="
        example = pd.DataFrame(list(contract.example), columns=list(contract.names))
        rows = _typed(example, job)
        try:
            found = len(model.predict(rows))
        except CouldNotRun as error:
            raise pytest.fail.Exception(f"the input example is refused: {error}", pytrace=False) from None
        assert found == len(rows), f"{found} predictions for the {len(rows)} rows of the input example"

    @pytest.mark.usefixtures("model")
    def test_the_requirements_are_pinned(self, job: JobRun) -> None:
        """A model is read by the versions that wrote it."""
        lines = (job.model / "requirements.txt").read_text(encoding="utf-8").splitlines()
        wanted = [line.strip() for line in lines if line.strip() and not line.strip().startswith(("#", "-", "code/"))]
        loose = [line for line in wanted if not _PIN.match(line) and "://" not in line and not line.endswith(".whl")]
        assert wanted, "the model names no requirements"
        assert not loose, f"not pinned: {', '.join(loose)}; write name==version"
        pins = {found[1]: found[3] for line in wanted if (found := _PIN.match(line))}
        other = [
            f"{name}=={pin} (installed: {here})" for name, pin in pins.items() if (here := _installed(name)) != pin
        ]
        assert not other, f"other versions than those that wrote the model: {', '.join(other)}"

    @pytest.mark.usefixtures("model")
    def test_held_out_rows_are_named(self, job: JobRun) -> None:
        """The gates judge the model on the rows that training set aside."""
        file = job.artifacts / HELD_OUT
        assert file.is_file(), (
            f"the run has no artifact {HELD_OUT}: the gates could not judge the model (docs/gates.md)"
        )
        table = read_table(job.data)
        try:
            rows = read_held_out(file.read_text(encoding="utf-8")).of_table(table)
        except CouldNotRun as error:
            raise pytest.fail.Exception(f"{error}. {error.remedy}", pytrace=False) from None
        assert 0 < len(rows) < len(table), f"{len(rows)} of {len(table)} rows are held out"

    def test_logged_metrics_are_those_of_the_held_out_rows(
        self, code: TrainingCode, job: JobRun, judged: tuple[Rows, Answers]
    ) -> None:
        """Recomputed from the logged model, each metric that is known by its name is the one that was logged."""
        rows, answers = judged
        compared = []
        for name, told in job.metrics.items():
            declared = code.config.scores.get(name, name)
            if declared == UNCHECKED:
                continue
            try:
                found = find_score(declared, rows.target, code.root)(rows, answers)
            except CouldNotRun:
                continue  # a figure of its own, such as those of autologging
            compared.append(name)
            assert recomputed(told, found), (
                f"the run has {name} = {told:.6g}, and of the logged model on the held-out rows it is {found:.6g}"
            )
        assert compared, f"no metric of the run is known by its name: {', '.join(job.metrics) or 'there is none'}"

    def test_the_logged_model_predicts_what_its_signature_declares(
        self, code: TrainingCode, job: JobRun, judged: tuple[Rows, Answers], model: Model
    ) -> None:
        """Classes, or quantities, of the type in the signature: callers read answers by it."""
        contract = read_contract(job.model)
        if len(contract.outputs) != 1:
            return
        answers = np.asarray(model.predict(judged[0].features)).ravel()
        declared = contract.outputs[0].type
        value = answers[0].item() if isinstance(answers[0], np.generic) else answers[0]
        fits = {"boolean": bool, "string": str, "integer": int, "long": int, "float": float, "double": float}
        wanted = fits.get(str(declared), object)
        assert isinstance(value, wanted), f"the signature says {declared}, and the model answers {value!r}"
        if judged[0].target.task.classifies and not (code.evaluation.probabilities or code.evaluation.prediction):
            try:
                judged[0].target.encode(list(answers), "prediction")
            except CouldNotRun as error:
                raise pytest.fail.Exception(
                    f"{error}. If these are probabilities, declare so (evaluation.probabilities)", pytrace=False
                ) from None

    def test_the_logged_model_predicts_as_the_fitted_one(
        self, code: TrainingCode, job: JobRun, judged: tuple[Rows, Answers], model: Model
    ) -> None:
        """What is written to files and read again says the same as what was fitted."""
        if not code.config.training:
            pytest.skip("no training function is declared (training in mlops/training.yml)")
        chosen = {name: each for name, each in job.declared.inputs.items() if code.has_setting(name)}
        trained = code.train(read_table(job.data), only=chosen)
        rows = judged[0]
        ours = np.asarray(code.predict(trained, trained.rows(trained.table.index[rows.features.index]))).ravel()
        theirs = np.asarray(model.predict(rows.features)).ravel()
        same = np.allclose(ours, theirs) if theirs.dtype.kind == "f" else [*map(str, ours)] == [*map(str, theirs)]
        assert same, "the logged model predicts other than the one that was fitted on the same rows"


def _typed(example: pd.DataFrame, job: JobRun) -> pd.DataFrame:
    from mlgates.evaluation.rows import features_of  # noqa: PLC0415

    return features_of(example, read_contract(job.model), set())


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"

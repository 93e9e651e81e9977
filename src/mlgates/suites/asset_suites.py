"""The integration suites about what training leaves in a workspace: job, run, model, data and environment."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlgates.contract.signature import ModelContract
from mlgates.evaluation.rows import features_of
from mlgates.gates.declaration import Gates
from mlgates.suites.integration_fixtures import IntegrationFixtures
from mlgates.tables import read_table

if TYPE_CHECKING:  # azure-ai-ml and MLflow are loaded by the fixtures, when there is something to look at
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job, Model
    from mlflow import MlflowClient

    from mlgates.config.settings import Settings
    from mlgates.core.lineage import Lineage

UNKNOWN = {"git_commit", "data_origin"}
"""Facts that may be missing: of a folder that is no repository, and of data that does not say where it is from."""


class AssetsSuite(IntegrationFixtures):
    """Environment and data: registered once for one content, and tied to it by a checksum."""

    def test_the_environment_of_the_model_is_there(
        self, mlgates_workspace: "MLClient", mlgates_settings: "Settings", mlgates_lineage: "Lineage"
    ) -> None:
        """By the name that is declared, and with an image."""
        name, version = _split(mlgates_lineage.environment)
        environment = mlgates_workspace.environments.get(name, version)
        assert name == mlgates_settings.training_environment_name
        assert environment.image or environment.build

    def test_the_data_of_the_model_is_there_with_its_checksum(
        self, mlgates_workspace: "MLClient", mlgates_settings: "Settings", mlgates_lineage: "Lineage"
    ) -> None:
        """By the name that is declared, and with what the model was trained on."""
        name, version = _split(mlgates_lineage.data)
        data = mlgates_workspace.data.get(name, version)
        assert name == mlgates_settings.training_dataset_name
        assert data.tags["sha256"] == mlgates_lineage.data_sha256

    def test_the_data_names_its_origin(self, mlgates_workspace: "MLClient", mlgates_lineage: "Lineage") -> None:
        """As the model does."""
        data = mlgates_workspace.data.get(*_split(mlgates_lineage.data))
        assert data.tags.get("origin", "unknown") == mlgates_lineage.data_origin

    @pytest.fixture
    def own(self, mlgates_own_workspace: bool) -> None:
        """A workspace that may be changed."""
        if not mlgates_own_workspace:
            pytest.skip("changes the workspace: only on one of this run's own (without --mlgates-env)")

    @pytest.mark.usefixtures("own", "mlgates_candidate")
    def test_the_same_environment_is_not_registered_twice(
        self, mlgates_workspace: "MLClient", mlgates_settings: "Settings"
    ) -> None:
        """One content, one version."""
        from mlgates.delivery.assets import register_environment  # noqa: PLC0415

        name = mlgates_settings.training_environment_name
        assert not register_environment(mlgates_workspace, mlgates_settings.project, name).created

    @pytest.mark.usefixtures("own", "mlgates_candidate")
    def test_the_same_data_is_not_registered_twice(
        self, mlgates_workspace: "MLClient", mlgates_settings: "Settings"
    ) -> None:
        """One content, one version."""
        from mlgates.delivery.assets import register_data  # noqa: PLC0415

        name = mlgates_settings.training_dataset_name
        assert not register_data(mlgates_workspace, mlgates_settings.project, name).created


class FinishedJobSuite(IntegrationFixtures):
    """The job that made the model: completed, on exact versions, with a log, and tracked as a run of the same name."""

    def test_the_job_completed(self, job: "Job") -> None:
        """It came to its end."""
        assert job.status == "Completed"

    def test_the_job_belongs_to_the_configured_experiment(self, job: "Job", mlgates_settings: "Settings") -> None:
        """By the name that is declared."""
        assert job.experiment_name == mlgates_settings.training_experiment_name

    def test_the_job_read_the_registered_data(self, job: "Job", mlgates_lineage: "Lineage") -> None:
        """The version that the model names."""
        # The service answers with a reference or with the asset's ARM id, as the job was sent.
        path = str(_inputs_of(job)["input"]["path"])
        name, version = _split(mlgates_lineage.data)
        assert path.removeprefix("azureml:").endswith((mlgates_lineage.data, f"/data/{name}/versions/{version}"))

    def test_the_job_ran_in_the_registered_environment(self, job: "Job", mlgates_lineage: "Lineage") -> None:
        """The version that the model names."""
        environment = str(_specification(job)["environment"])
        name, version = _split(mlgates_lineage.environment)
        assert environment.endswith((mlgates_lineage.environment, f"/environments/{name}/versions/{version}"))

    def test_the_job_remembers_its_source(self, job: "Job", mlgates_lineage: "Lineage") -> None:
        """The commit that the model names."""
        tags = job.tags or {}
        assert (tags["git_commit"], tags["git_dirty"]) == (mlgates_lineage.git_commit, mlgates_lineage.git_dirty)

    def test_the_log_can_be_downloaded(
        self, mlgates_workspace: "MLClient", mlgates_lineage: "Lineage", tmp_path: Path
    ) -> None:
        """What the command printed is kept."""
        mlgates_workspace.jobs.download(mlgates_lineage.job, download_path=tmp_path)
        (log,) = tmp_path.rglob("user_logs/std_log.txt")
        assert log.is_file()

    def test_the_job_is_a_finished_run_of_the_same_name(
        self, tracking: "MlflowClient", mlgates_lineage: "Lineage"
    ) -> None:
        """MLflow and Azure ML tell of the same."""
        run = tracking.get_run(mlgates_lineage.job)
        assert (run.info.run_id, run.info.status) == (mlgates_lineage.job, "FINISHED")

    def test_the_run_belongs_to_the_same_experiment(
        self, tracking: "MlflowClient", job: "Job", mlgates_lineage: "Lineage"
    ) -> None:
        """MLflow and Azure ML tell of the same."""
        run = tracking.get_run(mlgates_lineage.job)
        assert tracking.get_experiment(run.info.experiment_id).name == job.experiment_name

    def test_the_run_remembers_the_jobs_inputs(
        self, tracking: "MlflowClient", job: "Job", mlgates_lineage: "Lineage"
    ) -> None:
        """A parameter with the name of an input has its value."""
        params, inputs = tracking.get_run(mlgates_lineage.job).data.params, _inputs_of(job)
        given = {name: str(inputs[name]) for name in params if name in inputs and not isinstance(inputs[name], dict)}
        assert {name: params[name] for name in given} == given

    def test_the_metrics_are_within_the_limits_of_the_gates(
        self, tracking: "MlflowClient", mlgates_lineage: "Lineage", gates: Gates
    ) -> None:
        """What training logged under the name of a limit in gates.yml keeps it."""
        measured = tracking.get_run(mlgates_lineage.job).data.metrics
        for gate in gates.gates.values():
            for check in (each for each in gate.checks if each.kind == "metrics" and not each.warn_only):
                limits: dict[str, Any] = getattr(check.config, "root", {})
                for name in limits.keys() & measured.keys():
                    least, most, found = limits[name].min, limits[name].max, measured[name]
                    assert least is None or found >= least, f"{name} is {found}, {gate.name} wants {least} at least"
                    assert most is None or found <= most, f"{name} is {found}, {gate.name} wants {most} at most"

    def test_every_metric_is_a_number(self, tracking: "MlflowClient", mlgates_lineage: "Lineage") -> None:
        """There are metrics, and each is finite."""
        metrics = tracking.get_run(mlgates_lineage.job).data.metrics
        assert metrics
        assert {name for name, value in metrics.items() if not math.isfinite(value)} == set()


class RegisteredModelSuite(IntegrationFixtures):
    """The registered model: with its lineage, the same through every door, and able to predict."""

    def test_it_is_an_mlflow_model(self, model: "Model") -> None:
        """Deployments need no code of it."""
        assert model.type == "mlflow_model"

    def test_its_lineage_is_complete(self, mlgates_lineage: "Lineage") -> None:
        """It tells what it was made from."""
        facts = mlgates_lineage.to_tags()
        assert {name for name, fact in facts.items() if fact in {"", "unknown"}} <= UNKNOWN

    def test_its_metrics_are_those_of_its_run(self, tracking: "MlflowClient", mlgates_lineage: "Lineage") -> None:
        """What its tags say was measured."""
        measured = tracking.get_run(mlgates_lineage.job).data.metrics
        assert mlgates_lineage.metrics
        assert mlgates_lineage.metrics.items() <= measured.items()

    def test_it_is_stored_among_the_artifacts_of_its_job(self, model: "Model", mlgates_lineage: "Lineage") -> None:
        """It is nobody else's."""
        assert mlgates_lineage.job in str(model.path)

    def test_mlflow_and_azure_ml_hold_the_same_model(
        self,
        tracking: "MlflowClient",
        mlgates_lineage: "Lineage",
        mlgates_settings: "Settings",
        downloaded: Path,
        tmp_path: Path,
    ) -> None:
        """Byte for byte."""
        there = Path(tracking.download_artifacts(mlgates_lineage.job, mlgates_settings.model_path, str(tmp_path)))
        assert _files_of(there) == _files_of(downloaded)

    def test_the_job_and_the_registry_hold_the_same_model(
        self,
        mlgates_workspace: "MLClient",
        mlgates_lineage: "Lineage",
        mlgates_settings: "Settings",
        downloaded: Path,
        tmp_path: Path,
    ) -> None:
        """Byte for byte."""
        mlgates_workspace.jobs.download(mlgates_lineage.job, download_path=tmp_path)
        assert _files_of(tmp_path / "artifacts" / mlgates_settings.model_path) == _files_of(downloaded)

    def test_it_predicts_every_row_of_the_batch_sample(
        self, downloaded: Path, contract: ModelContract, mlgates_settings: "Settings", gates: Gates
    ) -> None:
        """A class that is declared, or a finite number, for each."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow.pyfunc  # noqa: PLC0415

            served = mlflow.pyfunc.load_model(str(downloaded))
        sample = read_table(mlgates_settings.project.root / mlgates_settings.batch_sample_request)
        predictions = served.predict(features_of(sample, contract, {gates.evaluation.label, gates.evaluation.weights}))
        assert len(predictions) == len(sample)
        if (classes := gates.evaluation.classes) and not gates.evaluation.prediction:
            assert set(map(str, np.asarray(predictions).ravel())) <= set(map(str, classes))

    def test_registering_its_job_again_gives_the_same_version(
        self,
        mlgates_workspace: "MLClient",
        mlgates_settings: "Settings",
        model: "Model",
        mlgates_lineage: "Lineage",
    ) -> None:
        """One content, one version."""
        from mlgates.core.progress import Silent  # noqa: PLC0415
        from mlgates.delivery.training import register_job_model  # noqa: PLC0415

        again = register_job_model(mlgates_workspace, mlgates_settings, mlgates_lineage.job, progress=Silent())
        assert (again.version, again.created) == (model.version, False)


def _split(reference: str) -> tuple[str, str]:
    name, _, version = reference.partition(":")
    return name, version


def _specification(job: "Job") -> dict[str, Any]:
    """Return the job in the words of its YAML file."""
    return dict(job._to_dict() or {})  # noqa: SLF001 - the SDK tells of a job's inputs nowhere else


def _inputs_of(job: "Job") -> dict[str, Any]:
    return dict(_specification(job)["inputs"])


def _files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

"""The integration suites about what is deployed: both endpoints are as declared, and answer as the model does."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlgates.config.declaring import read_yaml
from mlgates.contract import properties
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import served_formats
from mlgates.contract.signature import Batch, ModelContract
from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion, Job
from mlgates.endpoint_client import Address, EndpointClient, ScoringRequest, ask
from mlgates.pytest_plugin.workspace_fixtures import without_traceback
from mlgates.suites.integration_fixtures import IntegrationFixtures

if TYPE_CHECKING:  # azure-ai-ml is loaded by the fixtures, when there is something to look at
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import BatchDeployment, OnlineDeployment

    from mlgates.config.settings import Settings
    from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint

ASKED = 20
"""Rows in a request."""


class OnlineEndpointSuite(IntegrationFixtures):
    """The online endpoint: as declared, serving the candidate, for those who have the key, with the model's answers."""

    @pytest.fixture(scope="class")
    @classmethod
    def deployment(
        cls, mlgates_online_endpoint: "LiveOnlineEndpoint", mlgates_settings: "Settings"
    ) -> "OnlineDeployment":
        """The deployment that the project declares."""
        return mlgates_online_endpoint.deployments[mlgates_settings.online_deployment_name]

    @pytest.fixture(scope="class")
    @classmethod
    def sample(cls, mlgates_settings: "Settings") -> ScoringRequest:
        """The request that the project keeps for this."""
        from mlgates.delivery.online import sample_request  # noqa: PLC0415

        return sample_request(mlgates_settings)

    def test_the_endpoint_is_up(self, mlgates_online_endpoint: "LiveOnlineEndpoint") -> None:
        """Its last change succeeded."""
        assert _state(mlgates_online_endpoint.endpoint) == "Succeeded"

    def test_the_endpoint_asks_for_what_is_declared(
        self, mlgates_online_endpoint: "LiveOnlineEndpoint", mlgates_settings: "Settings"
    ) -> None:
        """Key, token or AAD token."""
        declared = _declared(mlgates_settings, mlgates_settings.project.online / "online-endpoint.yml")
        assert mlgates_online_endpoint.endpoint.auth_mode == declared.get("auth_mode", "key")

    def test_all_traffic_goes_to_the_declared_deployment(
        self, mlgates_online_endpoint: "LiveOnlineEndpoint", mlgates_settings: "Settings"
    ) -> None:
        """No request goes elsewhere."""
        assert dict(mlgates_online_endpoint.shares) == {mlgates_settings.online_deployment_name: 100}

    def test_the_deployment_is_up(self, deployment: "OnlineDeployment") -> None:
        """Its last change succeeded."""
        assert _state(deployment) == "Succeeded"

    @pytest.mark.parametrize("key", ["instance_type", "instance_count"])
    def test_the_deployment_has_what_is_declared(
        self, deployment: "OnlineDeployment", mlgates_settings: "Settings", key: str
    ) -> None:
        """As online-deployment.yml says."""
        declared = _declared(mlgates_settings, mlgates_settings.project.online / "online-deployment.yml")
        assert getattr(deployment, key) == declared.get(key, getattr(deployment, key))

    def test_the_deployment_serves_the_candidate(
        self, deployment: "OnlineDeployment", mlgates_candidate: AssetVersion
    ) -> None:
        """The version under test."""
        assert _model(deployment) == str(mlgates_candidate)

    def test_what_is_served_leads_back_to_commit_and_data(
        self, mlgates_workspace: "MLClient", deployment: "OnlineDeployment"
    ) -> None:
        """From an answer to what it was learned from."""
        from mlgates.delivery.operations import served_model  # noqa: PLC0415

        served = served_model(deployment)
        lineage = Lineage.from_tags(mlgates_workspace.models.get(served.name, served.version).tags)
        name, _, version = lineage.data.partition(":")
        job = mlgates_workspace.jobs.get(lineage.job)
        data = mlgates_workspace.data.get(name, version)
        assert (job.tags["git_commit"], data.tags["sha256"]) == (lineage.git_commit, lineage.data_sha256)

    def test_the_deployment_shows_its_log(self, mlgates_workspace: "MLClient", deployment: "OnlineDeployment") -> None:
        """What its process printed."""
        logs = mlgates_workspace.online_deployments.get_logs(deployment.name, deployment.endpoint_name, lines=20)
        assert logs.strip()

    def test_an_answer_names_the_deployment_that_gave_it(
        self, mlgates_scorer: EndpointClient, sample: ScoringRequest, mlgates_settings: "Settings"
    ) -> None:
        """So that one who asks knows which version it was."""
        ask(mlgates_scorer, sample)
        assert mlgates_scorer.last is not None
        assert mlgates_scorer.last.deployment == mlgates_settings.online_deployment_name

    def test_an_answer_has_an_id_to_look_it_up_by(self, mlgates_scorer: EndpointClient, sample: ScoringRequest) -> None:
        """In the log."""
        ask(mlgates_scorer, sample)
        assert mlgates_scorer.last is not None
        assert mlgates_scorer.last.request_id != "unknown"

    def test_predictions_are_the_registered_models_own(
        self, contract: ModelContract, mlgates_scorer: EndpointClient, in_process: PyfuncScorer, rows: Batch
    ) -> None:
        """In each form in which a request may come."""
        some = Batch(rows.names, rows.rows[:ASKED])
        for form in served_formats(contract):
            properties.agrees_with_model(contract, mlgates_scorer, some, form, in_process.predict)

    @pytest.mark.parametrize("credential", ["", "not-the-key"], ids=["no key", "a wrong key"])
    def test_a_caller_without_the_key_is_refused(
        self,
        mlgates_endpoint_at: Callable[[Address], EndpointClient],
        mlgates_online_address: Address,
        sample: ScoringRequest,
        credential: str,
    ) -> None:
        """With 401."""
        stranger = mlgates_endpoint_at(replace(mlgates_online_address, credential=credential))
        assert ask(stranger, sample).status == 401


@dataclass(frozen=True, slots=True)
class Scored:
    """A batch job that completed: what it was given and what it wrote, by file."""

    job: Job
    given: Mapping[str, Batch]
    written: Mapping[str, Sequence[tuple[int, str]]]
    """Row number and prediction, in the order of the output."""


class BatchEndpointSuite(IntegrationFixtures):
    """The batch endpoint: as declared, and a job of it from two files to a prediction a row, the model's own."""

    @pytest.fixture(scope="class")
    @classmethod
    def deployment(cls, mlgates_batch_endpoint: "LiveBatchEndpoint", mlgates_settings: "Settings") -> "BatchDeployment":
        """The deployment that the project declares."""
        return mlgates_batch_endpoint.deployments[mlgates_settings.batch_deployment_name]

    @pytest.fixture(scope="class")
    @classmethod
    def scored(
        cls,
        mlgates_workspace: "MLClient",
        mlgates_settings: "Settings",
        mlgates_batch_endpoint: "LiveBatchEndpoint",
        rows: Batch,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Scored:
        """A job over two files of drawn rows."""
        from mlgates.core.progress import Silent  # noqa: PLC0415
        from mlgates.delivery.batch import download_predictions, invoke_batch  # noqa: PLC0415
        from mlgates.delivery.operations import poll_seconds  # noqa: PLC0415

        parts = {"first.csv": rows.rows[:190], "second.csv": rows.rows[190:]}
        given = {name: Batch(rows.names, part) for name, part in parts.items()}
        folder, output = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("written")
        for name, some in given.items():
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([some.names, *some.rows])
        poll_s, endpoint = poll_seconds(mlgates_settings), mlgates_batch_endpoint.name
        with without_traceback():
            job = invoke_batch(mlgates_workspace, endpoint, str(folder), "uri_folder", poll_s=poll_s, progress=Silent())
            (predictions,) = download_predictions(mlgates_workspace, job.name, output)
        return Scored(job, given, _read_predictions(predictions))

    def test_the_endpoint_is_up(self, mlgates_batch_endpoint: "LiveBatchEndpoint") -> None:
        """Its last change succeeded."""
        assert _state(mlgates_batch_endpoint.endpoint) == "Succeeded"

    def test_the_declared_deployment_is_the_default(
        self, mlgates_batch_endpoint: "LiveBatchEndpoint", mlgates_settings: "Settings"
    ) -> None:
        """Jobs that name none are scored by it."""
        assert mlgates_batch_endpoint.default == mlgates_settings.batch_deployment_name

    def test_the_deployment_is_up(self, deployment: "BatchDeployment") -> None:
        """Its last change succeeded."""
        assert _state(deployment) == "Succeeded"

    @pytest.mark.parametrize("key", ["mini_batch_size", "max_concurrency_per_instance", "output_file_name"])
    def test_the_deployment_has_what_is_declared(
        self, deployment: "BatchDeployment", mlgates_settings: "Settings", key: str
    ) -> None:
        """As batch-deployment.yml says."""
        declared = _declared(mlgates_settings, mlgates_settings.project.batch / "batch-deployment.yml")
        wanted = {**declared, **declared.get("settings", {})}
        assert getattr(deployment, key) == wanted.get(key, getattr(deployment, key))

    def test_the_deployment_scores_with_the_candidate(
        self, deployment: "BatchDeployment", mlgates_candidate: AssetVersion
    ) -> None:
        """The version under test."""
        assert _model(deployment) == str(mlgates_candidate)

    def test_a_job_gives_as_many_rows_as_it_was_given(self, scored: Scored) -> None:
        """Of each file."""
        counted = {name: len(written) for name, written in scored.written.items()}
        assert counted == {name: len(given.rows) for name, given in scored.given.items()}, scored.job.name

    def test_a_job_keeps_the_order_of_rows(self, scored: Scored) -> None:
        """Of each file."""
        numbers = {name: [row for row, _ in written] for name, written in scored.written.items()}
        assert numbers == {name: sorted(rows) for name, rows in numbers.items()}, scored.job.name

    def test_predictions_are_the_registered_models_own(self, scored: Scored, in_process: PyfuncScorer) -> None:
        """What a file says of a row is what the model says."""
        for name, given in scored.given.items():
            own = in_process.predict(given)
            assert isinstance(own, list)
            written = [prediction for _, prediction in scored.written.get(name, ())]
            assert len(written) == len(own), f"{scored.job.name}: {len(written)} predictions for {len(own)} rows"
            odd = [place for place, pair in enumerate(zip(written, own, strict=True)) if not _same(*pair)]
            assert not odd, f"{scored.job.name}: rows {odd[:5]} of {name} have other predictions than the model's"


def _read_predictions(file: Path) -> Mapping[str, Sequence[tuple[int, str]]]:
    """Read `row,prediction,file`, as Azure ML's driver for MLflow models writes it, without a header."""
    written: dict[str, list[tuple[int, str]]] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        for row, *predictions, name in csv.reader(stream):
            written.setdefault(Path(name).name, []).append((int(row), ",".join(predictions)))
    return written


def _same(written: str, own: Any) -> bool:
    """Return whether what is written is a prediction; numbers may be rounded."""
    if isinstance(own, float):
        try:
            return math.isclose(float(written), own, rel_tol=1e-6, abs_tol=1e-9)
        except ValueError:
            return False
    if isinstance(own, dict):
        return all(_same(each, value) for each, value in zip(written.split(","), own.values(), strict=True))
    return written == str(own)


def _declared(settings: "Settings", file: Path) -> dict[str, Any]:
    return dict(read_yaml(file, settings.project.shown(file), "it declares what is deployed"))


def _state(resource: Any) -> str:
    from mlgates.delivery.operations import state_of  # noqa: PLC0415

    return str(state_of(resource))


def _model(deployment: Any) -> str:
    from mlgates.delivery.operations import served_model  # noqa: PLC0415

    return str(served_model(deployment))

"""The contract suites: the project's own model keeps what its signature promises to callers, held by properties."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgates.contract import properties
from mlgates.contract.invalid_requests import InvalidRequest, OnAzure, catalogue
from mlgates.contract.model_folder import read_contract, read_ranges
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import served_formats
from mlgates.contract.signature import Batch, ModelContract
from mlgates.contract.strategies import batches, requests
from mlgates.core.errors import MlgatesError
from mlgates.core.values import AssetVersion
from mlgates.endpoint_client import EndpointClient, Scorer, ask
from mlgates.suites.drawn_tables import TableSchema
from mlgates.suites.job_run import read_job, start_job
from mlgates.suites.training_code import TrainingCode
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn

if TYPE_CHECKING:  # azure-ai-ml is loaded by the fixtures, when there is something to look at
    from azure.ai.ml import MLClient

    from mlgates.config.settings import Settings as ProjectSettings
    from mlgates.delivery.operations import LiveOnlineEndpoint

held = settings(
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow),
)


class ContractSuite(TrainingFixtures):
    """The model that the declared job trains, in this process: requests are drawn from its signature and the suites."""

    @pytest.fixture(scope="class")
    @classmethod
    def model_folder(cls, code: TrainingCode, schema: TableSchema, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The model, as an MLflow folder."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the SDK's own, when it is imported
                table, declared = drawn(code, schema, Draw(0, 0)), read_job(code.project)
                run = start_job(declared, table, tmp_path_factory.mktemp("job")).wait()
        except MlgatesError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        if run.exit_code or not run.runs or not (run.model / "MLmodel").is_file():
            pytest.fail(f"the training job left no model:\n{run.told}", pytrace=False)
        return run.model

    @pytest.fixture(scope="class")
    @classmethod
    def contract(cls, code: TrainingCode, model_folder: Path) -> ModelContract:
        """What the model promises; requests are drawn within what the expectation suite knows."""
        suite = code.root / code.config.suite
        try:
            return read_contract(model_folder, read_ranges([suite] if suite.is_file() else []))
        except MlgatesError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, model_folder: Path, contract: ModelContract) -> PyfuncScorer:
        """The model, predicting in this process."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about its own type hints
            return PyfuncScorer(model_folder, contract)

    @pytest.fixture(scope="class")
    @classmethod
    def scorer(cls, model: PyfuncScorer) -> Scorer:
        """What is asked."""
        return model

    @held
    @given(data=st.data())
    def test_a_valid_request_gets_a_prediction_a_row(
        self, contract: ModelContract, scorer: Scorer, data: st.DataObject
    ) -> None:
        """In each format that the signature allows."""
        form = data.draw(st.sampled_from(served_formats(contract)))
        batch, request = data.draw(requests(contract, form))
        properties.answers(contract, scorer, batch, request)

    @held
    @given(data=st.data())
    def test_the_predictions_are_the_models_own(
        self, contract: ModelContract, scorer: Scorer, model: PyfuncScorer, data: st.DataObject
    ) -> None:
        """Nothing is lost or rounded on the way."""
        form = data.draw(st.sampled_from(served_formats(contract)))
        batch = data.draw(batches(contract, whole=True))
        properties.agrees_with_model(contract, scorer, batch, form, model.predict)

    @held
    @given(data=st.data())
    def test_the_order_of_columns_changes_no_prediction(
        self, contract: ModelContract, scorer: Scorer, data: st.DataObject
    ) -> None:
        """Where columns have names."""
        if not contract.named or contract.tensors:
            pytest.skip("the signature has no named columns")
        form = data.draw(st.sampled_from(served_formats(contract)))
        batch = data.draw(batches(contract))
        order = data.draw(st.permutations(batch.names))
        properties.is_independent_of_column_order(contract, scorer, batch, form, order)

    @held
    @given(data=st.data())
    def test_the_other_rows_change_no_prediction(
        self, contract: ModelContract, scorer: Scorer, data: st.DataObject
    ) -> None:
        """What is asked beside a row is no matter."""
        form = data.draw(st.sampled_from(served_formats(contract)))
        batch = data.draw(batches(contract, whole=True))
        properties.is_independent_of_batching(contract, scorer, batch, form, [1] * len(batch.rows))

    def test_every_invalid_request_is_refused(
        self, contract: ModelContract, scorer: Scorer, subtests: pytest.Subtests
    ) -> None:
        """Those that can be made of the input example, each with a message that names what is wrong."""
        for invalid in catalogue(contract, Batch(contract.names, contract.example)):
            with subtests.test(invalid.name):
                self.hold_refusal(scorer, invalid)

    def hold_refusal(self, scorer: Scorer, invalid: InvalidRequest) -> None:
        """Fail unless an invalid request is refused."""
        properties.refuses(scorer, invalid)


class LiveContractSuite(ContractSuite):
    """The deployment with most traffic of the online endpoint under test, against the model that it says it serves."""

    @pytest.fixture(scope="class")
    @classmethod
    def served(cls, mlgates_online_endpoint: "LiveOnlineEndpoint") -> tuple[str, AssetVersion]:
        """The deployment and its model."""
        from mlgates.delivery.operations import served_model  # noqa: PLC0415

        busiest = next(iter(mlgates_online_endpoint.shares), None)
        if busiest is None:
            pytest.fail(f"no deployment of online endpoint {mlgates_online_endpoint.name} has traffic", pytrace=False)
        return busiest, served_model(mlgates_online_endpoint.deployments[busiest])

    @pytest.fixture(scope="class")
    @classmethod
    def model_folder(
        cls,
        mlgates_delivered: "MLClient",
        served: tuple[str, AssetVersion],
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Path:
        """The registered model, downloaded."""
        from mlgates.delivery.models import download_model  # noqa: PLC0415

        return download_model(mlgates_delivered, served[1], tmp_path_factory.mktemp("model"))

    @pytest.fixture(scope="class")
    @classmethod
    def scorer(
        cls,
        mlgates_delivered: "MLClient",
        mlgates_online_endpoint: "LiveOnlineEndpoint",
        mlgates_settings: "ProjectSettings",
        served: tuple[str, AssetVersion],
    ) -> Iterator[EndpointClient]:
        """What asks that deployment by its name, so that one model answers."""
        from mlgates.config.settings import Target  # noqa: PLC0415
        from mlgates.delivery.online import address  # noqa: PLC0415

        cls.on_azure = mlgates_settings.target is Target.AZURE
        client = EndpointClient(address(mlgates_delivered, mlgates_online_endpoint.name, deployment=served[0]))
        yield client
        client.close()

    on_azure = False

    def hold_refusal(self, scorer: Scorer, invalid: InvalidRequest) -> None:
        """Fail unless an invalid request gets the contract's refusal, or on Azure what Azure's own parts do with it."""
        if not self.on_azure:
            properties.refuses(scorer, invalid)
            return
        answer = ask(scorer, invalid.request)
        refused = OnAzure.REFUSES if answer.model_status in {400, 415} else OnAzure.FAILS
        found = OnAzure.PREDICTS if answer.status == 200 else refused
        assert found == invalid.on_azure, f"{invalid.name}: {answer.status} {answer.text[:300]}"

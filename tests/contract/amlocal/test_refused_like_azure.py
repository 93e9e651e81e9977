"""What Azure refuses, asked for as users do: by the unmodified SDK and by MLflow, one workspace for all cases."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.amlocal.online_site import QUIET, Site, open_site

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

pytestmark = [*QUIET, pytest.mark.xdist_group("refused")]
CURATED = "azureml:AzureML-sklearn-1.5@latest"
PROD = "azureml://subscriptions/99999999-0000-0000-0000-000000000000/resourcegroups/rg-prod/workspaces/mlw-prod"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("refused")) as site:
        yield site


def refused(send: Any, thing: Any) -> "HttpResponseError":
    """Return the error that a call of the SDK ends in."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError) as error:
        send(thing)
    return error.value


class TestIdsOfAnotherWorkspace:
    BLOB = f"{PROD}/datastores/workspaceblobstore/paths/x"

    def check(self, error: "HttpResponseError") -> None:
        assert error.status_code == 400
        assert "another workspace: 'mlw-prod' in resource group 'rg-prod'" in str(error)

    def test_no_data_asset_is_made_of_one(self, site: Site) -> None:
        from azure.ai.ml.entities import Data  # noqa: PLC0415

        for kind in ("uri_file", "uri_folder"):
            asset = Data(name="foreign", path=self.BLOB, type=kind)
            self.check(refused(site.client.data.create_or_update, asset))

    def test_no_job_reads_or_writes_one(self, site: Site) -> None:
        from azure.ai.ml import Input, Output, command  # noqa: PLC0415

        provider = "/providers/Microsoft.MachineLearningServices/workspaces/"
        arm = PROD.removeprefix("azureml:/").replace("groups", "Groups").replace("/workspaces/", provider)
        places: tuple[dict[str, Any], ...] = (
            {"inputs": {"x": Input(type="uri_file", path=self.BLOB)}},
            {"inputs": {"x": Input(type="uri_file", path=f"{arm}/data/d/versions/1")}},
            {"outputs": {"x": Output(type="uri_folder", path=self.BLOB)}},
            {"environment": f"{arm}/environments/e/versions/1"},
        )
        for changes in places:
            job = command(**{"command": "true", "environment": CURATED, **changes})
            self.check(refused(site.client.jobs.create_or_update, job))


class TestNotServed:
    """A 501 names what the person asked for."""

    def check(self, error: "HttpResponseError", text: str) -> None:
        assert error.status_code == 501
        assert text in error.message
        assert "azureml_anonymous" not in str(error)

    def test_pipelines_and_what_pipelines_are_made_of(self, site: Site) -> None:
        from azure.ai.ml import Input, command, dsl  # noqa: PLC0415
        from azure.ai.ml.entities import CommandComponent  # noqa: PLC0415

        step = command(command="echo ${{inputs.x}}", environment=CURATED, inputs={"x": Input(type="string")})

        @dsl.pipeline(default_compute="cpu-cluster")  # type: ignore[call-overload, untyped-decorator]
        def pipeline() -> None:
            step(x="1")

        self.check(refused(site.client.jobs.create_or_update, pipeline()), "Pipeline jobs are not served")
        component = CommandComponent(name="train", command="true", environment=CURATED)
        self.check(refused(site.client.components.create_or_update, component), "Components are not served")

    def test_schedules(self, site: Site) -> None:
        self.check(refused(lambda kind: list(kind.list()), site.client.schedules), "Schedules are not served")

    def test_sweeps(self, site: Site) -> None:
        from azure.ai.ml import command  # noqa: PLC0415
        from azure.ai.ml.sweep import Choice  # noqa: PLC0415

        step = command(command="echo ${{inputs.x}}", environment=CURATED, inputs={"x": 1}, compute="cpu-cluster")
        sweep = step(x=Choice([1, 2])).sweep(primary_metric="m", goal="minimize", sampling_algorithm="random")
        self.check(refused(site.client.jobs.create_or_update, sweep), "Sweep jobs are not served")

    def test_registries(self, site: Site) -> None:
        from azure.ai.ml import MLClient  # noqa: PLC0415
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        def connect(name: str) -> MLClient:
            return MLClient(DefaultAzureCredential(), registry_name=name)

        self.check(refused(connect, "mine"), "Registries are not served by amlocal yet: 'mine'")

    def test_custom_containers(self, site: Site) -> None:
        from azure.ai.ml.entities import Environment  # noqa: PLC0415

        route = {"port": 8501, "path": "/v1/models/m"}
        own = Environment(
            name="own-server",
            image="docker.io/tensorflow/serving:latest",
            inference_config={"liveness_route": route, "readiness_route": route, "scoring_route": route},
        )
        site.endpoint("custom-routes", auth_mode="key")
        for environment in (own, site.client.environments.create_or_update(own)):
            error = refused(lambda given: site.deploy("blue", "custom-routes", environment=given), environment)
            self.check(error, "Custom containers are not served by amlocal yet")


def test_a_batch_call_names_a_file_for_its_output(site: Site, tmp_path: Path) -> None:
    from azure.ai.ml import Input, Output  # noqa: PLC0415
    from azure.ai.ml.entities import (  # noqa: PLC0415
        BatchEndpoint,
        CodeConfiguration,
        Model,
        ModelBatchDeployment,
        ModelBatchDeploymentSettings,
    )

    (tmp_path / "score.py").write_text("def init(): pass\ndef run(batch): return batch\n")
    client = site.client
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="refused-calls")).result()
    model = client.models.create_or_update(Model(name="plain", path=str(tmp_path / "score.py"), type="custom_model"))
    deployment = ModelBatchDeployment(
        name="first",
        endpoint_name="refused-calls",
        model=f"{model.name}:{model.version}",
        environment=CURATED,
        compute="cpu-cluster",
        code_configuration=CodeConfiguration(code=str(tmp_path), scoring_script="score.py"),
        settings=ModelBatchDeploymentSettings(mini_batch_size=1),
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    place = "azureml://datastores/workspaceblobstore/paths"

    files = Input(type="uri_folder", path=f"{place}/in")

    def invoke(kind: str, given: Input = files) -> None:
        client.batch_endpoints.invoke(
            endpoint_name="refused-calls",
            deployment_name="first",
            inputs={"x": given},
            outputs={"score": Output(type=kind, path=f"{place}/out/{kind}")},
        )

    error = refused(invoke, "uri_folder")
    assert error.status_code == 400
    assert "Job output type must be 'uri_file'" in str(error)
    literal = refused(lambda given: invoke("uri_file", given), Input(type="string", default="append"))
    assert literal.status_code == 400
    assert "The specified job input type 'LiteralJobInput' is not supported." in str(literal)
    invoke("uri_file")

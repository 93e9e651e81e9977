"""What a lenient workspace takes although Azure refuses it, and that it says so."""

import json
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from typer.testing import CliRunner

from amlocal import cli
from amlocal.settings import LENIENT
from tests.contract.amlocal.online_site import PATIENT, QUIET, Site, open_site, write_model

pytestmark = [*QUIET, pytest.mark.xdist_group("lenient")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("lenient"), lenient=True) as site:
        yield site


def test_it_says_so_in_its_status_and_in_its_log(site: Site) -> None:
    root = site.folder / "root"
    (row,) = json.loads(CliRunner().invoke(cli.app, ["status", "--json", "--root", str(root)]).output)
    assert (row["up"], row["lenient"]) == (True, True)
    assert LENIENT in (root / "local" / "server.log").read_text()


def test_a_run_may_have_more_parameters_than_azure_keeps(site: Site) -> None:
    client = mlflow.MlflowClient(site.client.workspaces.get().mlflow_tracking_uri)
    run = client.create_run("0", tags={f"t{number}": "x" * 2000 for number in range(60)}).info.run_id
    for number in range(250):
        client.log_param(run, f"p{number}", "x")
    assert len(client.get_run(run).data.params) == 250


def test_a_model_with_named_columns_takes_rows_and_records(site: Site, tmp_path: Path) -> None:
    site.endpoint("scored")
    model = site.register("rules", write_model(tmp_path / "model", packages=()))  # nor what Azure's script imports
    site.deploy("blue", model=model, requests=PATIENT)
    for data in ([[1.0, 2.0], [1.0, -2.0]], [{"b": 2.0, "a": 1.0}, {"a": 1.0, "b": -2.0}]):
        reply = site.post({"input_data": data}, azureml_model_deployment="blue")
        assert (reply.status, reply.text) == (200, "[1, 0]")

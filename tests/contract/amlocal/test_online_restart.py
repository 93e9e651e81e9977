"""The server is killed in the middle of a rollout: what served serves again, and the rollout can be done again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlocal.settings import Settings
from tests.contract.amlocal.online_site import ROWS, write_model
from tests.contract.amlocal.plain import Server, eventually

BLUE = "onlineEndpoints/scored/deployments/blue"


class Serving(Server):
    """A server with an online endpoint."""

    def upload(self, name: str, folder: Path) -> None:
        """Register the model in a folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.client.blob("PUT", f"{name}/{path.relative_to(folder)}", path.read_bytes()).raise_for_status()
        uri = f"azureml://datastores/workspaceblobstore/paths/{name}"
        self.client.arm("PUT", f"models/{name}/versions/1", {"modelType": "mlflow_model", "modelUri": uri})

    def begin(self, model: str) -> None:
        settings = {"endpointComputeType": "Managed", "instanceType": "Standard_E2s_v3", "model": f"azureml:{model}:1"}
        self.client.arm("PUT", BLUE, settings | {"requestSettings": {"requestTimeout": "PT2M"}})

    def state(self) -> str:
        return str(self.client.arm("GET", BLUE)["properties"]["provisioningState"])

    def deploy(self, model: str) -> None:
        self.begin(model)
        eventually("a rollout", lambda: self.state() != "Updating")
        assert self.state() == "Succeeded"

    def score(self) -> Any:
        answer = self.client.score("scored", ROWS)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    server = Serving(Settings(root=tmp_path / "root"))
    yield server
    server.stop()


def test_a_deployment_serves_again_after_a_kill_in_the_middle_of_its_update(server: Serving, tmp_path: Path) -> None:
    for number, model in enumerate(("first", "second"), start=1):
        server.upload(model, write_model(tmp_path / model, number))
    server.client.arm("PUT", "onlineEndpoints/scored", {"authMode": "Key"})
    server.deploy("first")
    server.client.arm("PUT", "onlineEndpoints/scored", {"authMode": "Key", "traffic": {"blue": 100}})
    assert server.score() == [1, 0]

    server.begin("second")
    server.kill_and_start()
    assert server.score() == [1, 0]
    assert server.state() == "Failed"
    server.deploy("second")
    assert server.score() == [2, 0]

"""A batch job ended from outside, by a cancel or a kill of the server: nothing of it runs on, the job says why."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.contract.amlocal.plain import Client, Server, eventually
from tests.contract.amlocal.test_kill import ENVIRONMENT, STOPPED, ended, has_process, server

__all__ = ["server"]  # the fixture

ENDPOINT = "batchEndpoints/scores"
# Waits for as long as there is a file `wait`, and leaves the id of its processes' group.
SCRIPT = """
import os, time
def init(): pass
def run(mini_batch):
    with open(os.path.join(os.environ["MARKS"], "worker"), "w") as mark:
        mark.write(str(os.getpgrp()))
    while os.path.exists(os.path.join(os.environ["MARKS"], "wait")):
        time.sleep(0.01)
    return [os.path.basename(path) for path in mini_batch]
"""


def deploy(server: Server, marks: Path) -> None:
    """Make an endpoint and its default deployment, of a script that waits."""
    client, datastore = server.client, "azureml://datastores/workspaceblobstore/paths"
    for name, content in (("code/score.py", SCRIPT), ("model/m.bin", "m"), ("in/1.txt", "1"), ("in/2.txt", "2")):
        client.put_blob(name, content.encode(), 1)
    code = {"codeUri": f"{server.running.origin}/devstore/{client.container}/code"}
    client.arm("PUT", "codes/c/versions/1", code)
    client.arm("PUT", "models/m/versions/1", {"modelType": "custom_model", "modelUri": f"{datastore}/model"})
    client.arm("PUT", ENDPOINT, {})
    client.arm("PUT", f"{ENDPOINT}/deployments/first", {
        "codeConfiguration": {"codeId": "azureml:c:1", "scoringScript": "score.py"},
        "environmentId": ENVIRONMENT,
        "environmentVariables": {"MARKS": str(marks)},
        "compute": "azureml:cpu-cluster",
        "model": {"referenceType": "Id", "assetId": "azureml:m:1"},
    })  # fmt: skip
    client.arm("PUT", ENDPOINT, {"defaults": {"deploymentName": "first"}})


def invoke(client: Client) -> str:
    """Call the endpoint; return the job."""
    data = {"jobInputType": "UriFolder", "uri": "azureml://datastores/workspaceblobstore/paths/in/"}
    return client.invoke("scores", {"inputData": {"UriFolder": data}})


def kept(client: Client) -> list[Any]:
    """Return what does not depend on the port that the server listens on."""
    shown = [client.found(ENDPOINT), client.found(f"{ENDPOINT}/deployments/first")]
    return [{key: value for key, value in one.items() if key not in ("scoringUri", "properties")} for one in shown]


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    (folder / "wait").touch()
    return folder


def test_a_batch_job_that_ran_has_failed_with_the_reason_and_the_endpoint_serves_on(
    server: Server, marks: Path
) -> None:
    deploy(server, marks)
    before, job = kept(server.client), invoke(server.client)
    group = int(eventually("a worker that scores", lambda: text_of(marks / "worker")))
    assert has_process(group)
    server.kill_and_start()
    assert kept(server.client) == before
    eventually("the end of all that scored", lambda: not has_process(group))
    (child,) = server.client.history(f"runs/{job}/children")["value"]
    for name in (job, child["runId"]):
        assert server.client.found(f"jobs/{name}")["status"] == "Failed"
        assert server.client.history(f"runs/{name}")["error"]["error"]["message"].startswith(STOPPED)
    (marks / "wait").unlink()
    again = invoke(server.client)
    assert eventually(f"the end of {again}", partial(ended, server.client, again)) == "Completed"
    (scored,) = server.client.history(f"runs/{again}/children")["value"]
    output = server.client.blob("GET", f"azureml/{scored['runId']}/score/predictions.csv")
    assert output.raise_for_status().text == "1.txt\n2.txt\n"


def test_a_batch_job_that_is_canceled_runs_no_further(server: Server, marks: Path) -> None:
    deploy(server, marks)
    job = invoke(server.client)
    group = int(eventually("a worker that scores", lambda: text_of(marks / "worker")))
    assert has_process(group)
    server.client.arm("POST", f"jobs/{job}/cancel", {})
    assert eventually(f"the end of {job}", partial(ended, server.client, job)) == "Canceled"
    assert not has_process(group)
    (child,) = server.client.history(f"runs/{job}/children")["value"]
    assert server.client.found(f"jobs/{child['runId']}")["status"] == "Canceled"


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""

"""Scoring scripts under the inference server: one as Azure ML's documentation has them, and those that go wrong."""

import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tests.contract.amlocal.online_site import PATIENT, QUIET, Site, open_site
from tests.contract.amlocal.plain import eventually

if TYPE_CHECKING:
    from azure.ai.ml.entities import Environment

pytestmark = [*QUIET, pytest.mark.xdist_group("online-scripts")]

# In the manner of learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints.
DOCUMENTED = """
import json
import logging
import os

import joblib
import numpy


def init():
    global model
    path = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model", "ridge.pkl")
    model = joblib.load(path)
    logging.info("Init complete")


def run(raw_data):
    rows = numpy.array(json.loads(raw_data)["data"])
    return model.predict(rows).tolist()
"""
DEPLOYMENT = """
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
name: blue
endpoint_name: documented
model:
  path: ../model/
code_configuration:
  code: ../onlinescoring/
  scoring_script: score.py
environment:
  conda_file: ../environment/conda.yaml
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest
instance_type: Standard_DS3_v2
instance_count: 1
"""
CONDA = {
    "name": "model-env",
    "channels": ["conda-forge"],
    "dependencies": [
        "python",
        "pip",
        {
            "pip": [
                f"{name}=={version(name)}"
                for name in ("numpy", "scikit-learn", "joblib", "azureml-inference-server-http")
            ]
        },
    ],
}

WILFUL = """
import json
import os
import sys
import time


def init():
    print("greeting:", os.environ["GREETING"])


def run(raw_data):
    match json.loads(raw_data):
        case {"do": "raise"}:
            raise ArithmeticError("as asked")
        case {"do": "exit"}:
            os._exit(3)
        case {"do": "hang"}:
            time.sleep(3)
        case {"do": "print", "megabytes": megabytes}:
            line = "x" * 1023
            for _ in range(megabytes):
                sys.stdout.write(f"{line}\\n" * 1024)
            print("printed it all", flush=True)
        case {"do": "chatter"}:
            if os.fork() == 0:
                while True:
                    os.write(1, b"and so on\\n" * 1000)
    return os.environ["GREETING"]
"""
SLEEPY = """
import time


def init():
    time.sleep(600)


def run(raw_data):
    return 1
"""
BROKEN = """
def init():
    raise RuntimeError("no such luck")


def run(raw_data):
    return 1
"""


# In the manner of learn.microsoft.com/azure/machine-learning/how-to-deploy-advanced-entry-script, "Binary data".
RAW = """
from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    pass


@rawhttp
def run(request):
    body = request.get_data(False)
    if request.headers.get("X-Tenant") != "mine":
        return AMLResponse("not yours", 403, {"X-Asked": request.headers.get("X-Tenant", "nobody")})
    key = request.headers.get("Authorization", "no key")
    answer = AMLResponse(body[::-1], 200)
    answer.headers["X-Length"] = str(len(body))
    answer.headers["X-Key"] = key
    answer.headers["azureml-model-deployment"] = "another"
    answer.headers["Content-Type"] = "application/octet-stream"
    return answer
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("scripts")) as site:
        site.endpoint("scored")
        yield site


@pytest.fixture(scope="module")
def wilful(site: Site) -> str:
    """A deployment whose script does what the request says."""
    deploy(site, "wilful", WILFUL, requests=PATIENT)
    return "wilful"


def environment(site: Site) -> "Environment":
    from azure.ai.ml.entities import Environment  # noqa: PLC0415

    conda = site.folder / "conda.yaml"
    conda.write_text(json.dumps(CONDA))
    return Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file=str(conda))


def deploy(site: Site, name: str, script: str, **settings: Any) -> None:
    from azure.ai.ml.entities import CodeConfiguration  # noqa: PLC0415

    code = site.folder / name
    code.mkdir()
    (code / "score.py").write_text(script)
    site.deploy(
        name,
        code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
        environment=environment(site),
        environment_variables={"GREETING": "hello"},
        **settings,
    )


def test_a_script_as_the_documentation_has_it_runs_unchanged(site: Site) -> None:
    from azure.ai.ml import load_online_deployment  # noqa: PLC0415

    rows = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    model = Ridge().fit(rows, [1.0, 2.0, 3.0])
    folder = site.folder / "project"
    for name in ("model", "onlinescoring", "environment", "endpoints"):
        (folder / name).mkdir(parents=True)
    joblib.dump(model, folder / "model" / "ridge.pkl")
    (folder / "onlinescoring" / "score.py").write_text(DOCUMENTED)
    (folder / "environment" / "conda.yaml").write_text(json.dumps(CONDA))
    (folder / "endpoints" / "blue.yml").write_text(DEPLOYMENT)

    site.endpoint("documented")
    deployment = load_online_deployment(folder / "endpoints" / "blue.yml")
    site.client.online_deployments.begin_create_or_update(deployment, local=False).result()
    site.traffic("documented", blue=100)
    (folder / "request.json").write_text(json.dumps({"data": rows.tolist()}))
    answer = site.client.online_endpoints.invoke("documented", request_file=str(folder / "request.json"))
    assert json.loads(answer) == model.predict(rows).tolist()
    # Written once the answer is sent.
    eventually("a line of the access log", lambda: '"POST /score HTTP/1.1" 200' in site.log("blue", "documented"))
    assert "Code" in site.log("blue", "documented", container_type="storage-initializer")


def test_a_script_that_fails_in_init_fails_its_deployment_with_the_reason(site: Site) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match=r"(?s)ResourceNotReady: User container has crashed.*no such luck"):
        deploy(site, "broken", BROKEN)
    assert site.client.online_deployments.get("broken", "scored").provisioning_state == "Failed"
    assert "RuntimeError: no such luck" in site.log("broken")


def test_a_script_that_hangs_in_init_fails_its_deployment_when_its_probe_gives_up(site: Site) -> None:
    from azure.ai.ml.entities import ProbeSettings  # noqa: PLC0415
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match=r"ResourceNotReady: .*not ready after 3 s"):
        deploy(site, "sleepy", SLEEPY, readiness_probe=ProbeSettings(initial_delay=1, period=1, failure_threshold=2))


def test_a_script_that_raises_comes_back_as_424(site: Site, wilful: str) -> None:
    reply = site.post({"do": "raise"}, azureml_model_deployment=wilful)
    assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert "ArithmeticError: as asked" in site.log(wilful)


def test_a_script_that_exits_fails_its_request_alone(site: Site, wilful: str) -> None:
    reply = site.post({"do": "exit"}, azureml_model_deployment=wilful)
    assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "502")
    assert site.post({}, azureml_model_deployment=wilful).json == "hello"


def test_a_script_that_hangs_is_a_408_and_serves_again(site: Site) -> None:
    deploy(site, "hanging", WILFUL, requests={"request_timeout_ms": 2000})
    assert site.post({"do": "hang"}, azureml_model_deployment="hanging").status == 408
    assert 200 in (site.post({}, azureml_model_deployment="hanging").status for _ in range(10))


def test_a_script_that_prints_a_gigabyte_fills_no_disk_and_its_last_words_are_there(site: Site) -> None:
    deploy(site, "wordy", WILFUL, requests=PATIENT)
    megabytes = int(os.environ.get("AMLOCAL_PRINTED_MEGABYTES", "200"))
    site.post({"do": "print", "megabytes": megabytes}, azureml_model_deployment="wordy")
    assert site.post({}, azureml_model_deployment="wordy").json == "hello"
    assert "printed it all" in site.log("wordy")
    assert size(site.folder, "wordy") < 64 * 2**20


def test_the_server_answers_while_a_script_prints_without_end(site: Site, wilful: str) -> None:
    deploy(site, "chatty", WILFUL, requests=PATIENT)
    assert site.post({"do": "chatter"}, azureml_model_deployment="chatty").json == "hello"
    for name in ("chatty", wilful):
        assert site.post({}, azureml_model_deployment=name).json == "hello"
    assert "and so on" in site.log("chatty")
    assert size(site.folder, "chatty") < 64 * 2**20
    site.client.online_deployments.begin_delete("chatty", "scored").result()


def size(folder: Path, deployment: str) -> int:
    """Return the bytes that the logs of a deployment take."""
    (found,) = folder.glob(f"root/*/online/scored/{deployment}")
    return sum(path.stat().st_size for path in found.glob("*.txt"))


def test_headers_pass_both_ways_through_a_raw_script(site: Site) -> None:
    deploy(site, "raw", RAW, requests=PATIENT)
    reply = site.post(b"\x01\x02abc", azureml_model_deployment="raw", X_Tenant="mine", Content_Type="image/png")
    assert (reply.status, reply.text) == (200, "cba\x02\x01")
    assert (reply.headers["x-length"], reply.headers["x-key"]) == ("5", "no key")
    assert reply.headers["azureml-model-deployment"] == "raw"  # Azure's own header is not the script's to set
    assert reply.headers["content-type"] == "application/octet-stream"
    for headers, asked in (({}, "nobody"), ({"X_Tenant": "other"}, "other")):
        reply = site.post(b"abc", azureml_model_deployment="raw", **headers)
        assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "403")
        assert (reply.text, reply.headers["x-asked"]) == ("not yours", asked)

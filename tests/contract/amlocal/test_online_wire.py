"""Online endpoints as azure-ai-ml and a caller of the scoring URL see them; one workspace for the module."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.amlocal.online_site import PATIENT, QUIET, ROWS, Site, open_site, row, write_model

pytestmark = [*QUIET, pytest.mark.xdist_group("online")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An endpoint, `scored`: its deployment `blue` gets all traffic, `frail` takes one call at a time, of a second."""
    with open_site(tmp_path_factory.mktemp("online")) as site:
        model = site.register("model", write_model(site.folder / "model"))
        site.endpoint("scored")
        pending = [
            site.begin("blue", model=model, requests={**PATIENT, "max_concurrent_requests_per_instance": 64}),
            site.begin("frail", model=model, requests={"request_timeout_ms": 1000}),
        ]
        for poller in pending:
            poller.result()
        site.traffic(blue=100)
        yield site


@pytest.fixture(scope="module")
def bare(site: Site) -> str:
    """A model that Azure cannot serve, for want of packages."""
    return site.register("bare", write_model(site.folder / "bare", packages=()))


@pytest.fixture(scope="module")
def mortal(site: Site) -> str:
    """A deployment whose requests wait while its process is started again."""
    site.deploy("mortal", model="azureml:model:1", requests=PATIENT)
    return "mortal"


@pytest.fixture(autouse=True)
def forget_headers() -> Iterator[None]:
    """The SDK keeps one dictionary of headers for all calls: a deployment once named would go along with the next."""
    yield
    from azure.ai.ml.constants._endpoint import EndpointInvokeFields  # noqa: PLC0415

    EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)


def test_the_sdk_invokes_the_endpoint_by_key(site: Site, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(ROWS))
    answer = site.client.online_endpoints.invoke("scored", request_file=str(tmp_path / "request.json"))
    assert json.loads(answer) == [1, 0]


def test_the_sdk_invokes_a_deployment_by_name(site: Site, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(ROWS))
    path = str(tmp_path / "request.json")
    answer = site.client.online_endpoints.invoke("scored", request_file=path, deployment_name="blue")
    assert json.loads(answer) == [1, 0]


def test_the_sdk_lists_what_there_is(site: Site) -> None:
    assert "scored" in {endpoint.name for endpoint in site.client.online_endpoints.list()}
    assert {"blue", "frail"} <= {deployment.name for deployment in site.client.online_deployments.list("scored")}


def test_the_order_of_columns_changes_nothing(site: Site) -> None:
    data = {"columns": ["b", "a"], "index": [0, 1], "data": [[2.0, 1.0], [-2.0, 1.0]]}
    assert site.post({"input_data": data}).text == "[1, 0]"


@pytest.mark.parametrize(
    "data", [[[1.0, 2.0], [1.0, -2.0]], [{"b": 2.0, "a": 1.0}, {"a": 1.0, "b": -2.0}], {"a": [1.0], "b": [2.0]}]
)
def test_no_other_form_is_answered(site: Site, data: Any) -> None:
    reply = site.post({"input_data": data})
    assert (reply.status, reply.headers["ms-azureml-model-error-reason"]) == (424, "model_error")
    assert "'input_data' must hold 'columns', 'index' and 'data'" in reply.text


def test_the_endpoint_describes_what_it_takes(site: Site) -> None:
    uri = site.client.online_endpoints.get("scored").openapi_uri
    request = urllib.request.Request(uri, headers={"Authorization": f"Bearer {site.key()}"})
    with urllib.request.urlopen(request, context=site.trust) as answer:
        score = json.load(answer)["paths"]["/score"]["post"]
    assert '"a": {"type": "number"' in json.dumps(score)


def test_an_answer_names_the_deployment_and_the_request(site: Site) -> None:
    reply = site.post(ROWS, x_request_id="mine")
    assert (reply.status, reply.headers["azureml-model-deployment"]) == (200, "blue")
    assert reply.headers["x-request-id"] == "mine"


def test_a_request_that_the_model_refuses_comes_back_as_424_with_the_reason(site: Site) -> None:
    reply = site.post({"input_data": {"columns": ["a"], "data": [[1.0]]}})
    assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "400")
    assert "Column 'b' is missing" in reply.text


def test_what_the_model_raises_comes_back_as_424_and_is_in_the_log(site: Site) -> None:
    reply = site.post(row(500.0, 0.0))
    assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert "ArithmeticError: as asked" in reply.text
    assert "ArithmeticError: as asked" in site.log("blue")


def test_a_body_over_a_megabyte_and_a_half_is_refused(site: Site) -> None:
    assert site.post(b" " * 1_572_865).status == 413


def test_an_unknown_deployment_is_not_found(site: Site) -> None:
    assert site.post(ROWS, azureml_model_deployment="grey").status == 404


def test_a_model_that_takes_too_long_is_a_408(site: Site) -> None:
    reply = site.post(row(408.0, 0.0), azureml_model_deployment="frail")
    assert (reply.status, "1000 ms" in reply.text) == (408, True)


def test_more_requests_than_twice_what_may_run_are_turned_away(site: Site, mortal: str) -> None:
    def ask(_: int) -> int:
        return site.post(row(408.0, 0.0), key=key, azureml_model_deployment=mortal).status

    key = site.key()
    with ThreadPoolExecutor(8) as callers:
        statuses = list(callers.map(ask, range(8)))
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 2


def test_a_deployment_with_traffic_cannot_be_deleted(site: Site) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match="100 percent"):
        site.client.online_deployments.begin_delete("blue", "scored").result()


def test_traffic_to_a_deployment_that_does_not_exist_is_refused(site: Site) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match="grey"):
        site.traffic(grey=100)


def test_a_mirror_is_kept_and_its_deployment_sees_the_requests(site: Site, mortal: str) -> None:
    assert site.traffic(blue=100, mirror={mortal: 50}).mirror_traffic == {mortal: 50}
    before = site.log(mortal).count("predicted")
    key = site.key()
    replies = (site.post(ROWS, key=key) for _ in range(200))
    assert any(site.log(mortal).count("predicted") > before for reply in replies if reply.status == 200)
    site.traffic(blue=100)


def test_a_model_without_what_azures_script_imports_fails_with_azures_reason(site: Site, bare: str) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match=r"User container has crashed.*azureml_inference_server_http"):
        site.deploy("bare", model=bare)
    assert site.client.online_deployments.get("bare", "scored").provisioning_state == "Failed"
    assert "Rolling out" in site.log("bare")
    assert "files" in site.log("bare", container_type="storage-initializer")


def test_a_token_opens_its_endpoint_alone(site: Site, tmp_path: Path) -> None:
    site.endpoint("tokened", auth_mode="aml_token")
    site.deploy("only", "tokened", model="azureml:model:1", requests=PATIENT)
    site.traffic("tokened", only=100)
    (tmp_path / "request.json").write_text(json.dumps(ROWS))
    answer = site.client.online_endpoints.invoke("tokened", request_file=str(tmp_path / "request.json"))
    assert json.loads(answer) == [1, 0]
    denied = [site.post(ROWS, "tokened", key=site.key()), site.post(ROWS, "scored", key=site.key("tokened"))]
    assert [reply.status for reply in denied] == [401, 401]


def test_an_aad_token_is_let_in_where_a_key_is_not(site: Site) -> None:
    site.endpoint("known", auth_mode="aad_token")
    let_in, denied = site.post(ROWS, "known"), site.post(ROWS, "known", key=site.key())
    assert (let_in.status, denied.status) == (404, 401)  # 404, since no deployment gets traffic


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_key_is_refused(site: Site, key: str) -> None:
    reply = site.post(ROWS, key=key)
    assert (reply.status, reply.text) == (401, "key_auth_access_denied")


def test_a_regenerated_key_replaces_one_and_leaves_the_other(site: Site) -> None:
    before = site.client.online_endpoints.get_keys("scored")
    site.client.online_endpoints.begin_regenerate_keys("scored", key_type="secondary").result()
    after = site.client.online_endpoints.get_keys("scored")
    assert before.primary_key == after.primary_key
    statuses = [
        site.post(ROWS, key=key).status for key in (after.primary_key, after.secondary_key, before.secondary_key)
    ]
    assert statuses == [200, 200, 401]


def test_a_killed_process_is_started_again_and_its_death_is_in_the_log(site: Site, mortal: str) -> None:
    for number in _processes(site.folder, mortal):
        os.kill(number, signal.SIGKILL)
    replies = [site.post(ROWS, azureml_model_deployment=mortal) for _ in range(2)]
    assert replies[0].status in (200, 424)  # it may have been sent to the process while that died
    assert replies[1].status == 200
    assert "ended with code -9" in site.log(mortal)


def test_a_model_that_exits_fails_its_request_alone(site: Site, mortal: str) -> None:
    reply = site.post(row(502.0, 0.0), azureml_model_deployment=mortal)
    assert (reply.status, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "502")
    assert site.post(ROWS, azureml_model_deployment=mortal).status == 200
    assert "ended with code 7" in site.log(mortal)


def test_an_endpoint_is_deleted_with_its_deployments(site: Site, bare: str) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: PLC0415

    site.endpoint("fleeting")
    with pytest.raises(HttpResponseError):
        site.deploy("only", "fleeting", model=bare)
    key = site.key("fleeting")
    site.client.online_endpoints.begin_delete("fleeting").result()
    with pytest.raises(ResourceNotFoundError):
        site.client.online_endpoints.get("fleeting")
    site.endpoint("fleeting")
    assert list(site.client.online_deployments.list("fleeting")) == []
    assert site.post(ROWS, "fleeting", key=key).status == 401


def _processes(root: Path, deployment: str) -> list[int]:
    """Return the scoring processes of a deployment."""
    found = subprocess.run(["pgrep", "-f", f"{root}.*/{deployment}/"], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.batch.deployments import DEFAULTS, accept_settings, overridable
from amlocal.batch.store import default_of
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.yaml_decoding import MAX_YAML
from tests.unit.amlocal.batch.conftest import Batch, deployment

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]\Z"))
@shared
def test_an_endpoint_takes_every_name_that_azure_takes(batch: Batch, name: str) -> None:
    assert batch.store.put_endpoint(name, {}).name == name


@pytest.mark.parametrize("name", ["ab", "1ab", "-ab", "ab-", "a_b", "a.b", "a" * 33, "äbc"])
def test_an_endpoint_s_name_must_keep_to_azure_s_rules(batch: Batch, name: str) -> None:
    with pytest.raises(BadRequest, match="3 to 32"):
        batch.store.put_endpoint(name, {})


def test_a_default_deployment_must_exist(batch: Batch) -> None:
    batch.store.put_endpoint("scores", {})
    with pytest.raises(BadRequest, match="default deployment 'first' does not exist"):
        batch.store.put_endpoint("scores", {"properties": {"defaults": {"deploymentName": "first"}}})


@pytest.mark.parametrize("value", ["", None])
def test_a_tag_of_an_endpoint_needs_a_value(batch: Batch, value: str | None) -> None:
    with pytest.raises(BadRequest, match=r"must not be null or empty; empty are: costs\."):
        batch.store.put_endpoint("scores", {"tags": {"team": "care", "costs": value}})


def test_a_default_by_a_wrong_key_is_refused(batch: Batch) -> None:
    with pytest.raises(BadRequest, match="'deploymentName', not deployment_name"):
        batch.ready().store.put_endpoint("scores", {"properties": {"defaults": {"deployment_name": "first"}}})


def test_a_key_is_no_way_into_a_batch_endpoint(batch: Batch) -> None:
    with pytest.raises(BadRequest, match="authMode is AADToken"):
        batch.store.put_endpoint("scores", {"properties": {"authMode": "Key"}})


def test_a_deployment_needs_its_endpoint_first(batch: Batch) -> None:
    batch.add_model()
    with pytest.raises(ApiError, match="resource was not found") as caught:
        batch.deploy("nowhere")
    assert (caught.value.status, caught.value.details[0][0]) == (404, "NoSuchEndpoint")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"compute": "azureml:nowhere"}, "Unknown compute target 'nowhere'"),
        ({"compute": None}, "Unknown compute target"),
        ({"model": {"assetId": "azureml:other:1"}}, "not found"),
        ({"model": None}, "needs a registered model"),
        ({"environmentId": "azureml:none:1"}, "No environment exists"),
        ({"codeConfiguration": {"codeId": "x"}}, "needs a codeId and a scoringScript"),
        ({"codeConfiguration": {"codeId": "azureml:c:1", "scoringScript": "s.py"}}, "not found|No code|codes"),
        ({"miniBatchSize": 0}, "'miniBatchSize' must be at least 1"),
        ({"maxConcurrencyPerInstance": 0}, "must be at least 1"),
        ({"resources": {"instanceCount": 0}}, "must be at least 1"),
        ({"errorThreshold": -2}, "'errorThreshold' must be"),
        ({"outputAction": "Append"}, "'outputAction' is 'Append'; known are AppendRow, SummaryOnly"),
        ({"outputFileName": "a/b.csv"}, "is not the name of a file"),
        ({"retrySettings": {"timeout": "PT0S"}}, "nothing is scored in no time"),
        ({"loggingLevel": "loud"}, "'loggingLevel' is 'loud'"),
        ({"environmentVariables": {"A=B": "c"}}, "'A=B' cannot be the name"),
        (
            {"deploymentConfiguration": {"deploymentConfigurationType": "PipelineComponent"}},
            "Batch deployments of pipeline components are not served",
        ),
    ],
)
def test_a_deployment_that_cannot_score_is_refused(batch: Batch, properties: dict[str, Any], reason: str) -> None:
    batch.add_model()
    batch.store.put_endpoint("scores", {})
    with pytest.raises(ApiError) as caught:
        batch.deploy(**properties)
    message = " ".join([caught.value.message, *(detail for _, detail in caught.value.details)])
    assert any(part in message for part in reason.split("|")), message


def test_a_model_that_is_not_mlflow_s_needs_code(batch: Batch) -> None:
    batch.add_model(kind="custom_model")
    batch.store.put_endpoint("scores", {})
    with pytest.raises(BadRequest, match="needs a code_configuration and an environment"):
        batch.deploy()


@pytest.mark.parametrize(
    "conda", ["a: &a [1]\n" + "b: [*a, *a]\n" * 6000, "- a\n" * 80_000, "x" * (MAX_YAML + 1), "\ud83d"]
)
def test_a_model_whose_requirements_are_out_of_bounds_is_refused(batch: Batch, conda: str) -> None:
    batch.add_model(conda=conda)
    with pytest.raises(BadRequest, match=r"conda"):
        batch.rules.accept(deployment()["properties"])


def test_a_model_without_its_requirements_is_refused(batch: Batch) -> None:
    batch.add_model(conda=None)
    batch.store.put_endpoint("scores", {})
    with pytest.raises(BadRequest, match=r"has no conda\.yaml"):
        batch.deploy()


def test_a_script_needs_an_environment(batch: Batch) -> None:
    batch.add_model(kind="custom_model")
    batch.store.put_endpoint("scores", {})
    batch.stores.codes.put("c", "1", {"codeUri": "https://here/devstore/c/src"})
    with pytest.raises(BadRequest, match="must name the environment that the script runs in"):
        batch.deploy(codeConfiguration={"codeId": "azureml:c:1", "scoringScript": "s.py"})


def test_a_script_s_deployment_is_kept_as_it_was_sent(batch: Batch) -> None:
    batch.add_model(kind="custom_model")
    batch.store.put_endpoint("scores", {})
    batch.stores.codes.put("c", "1", {"codeUri": "https://here/devstore/c/src"})
    batch.stores.environments.put("own", "1", {"image": "any"})
    code = {"codeId": "azureml:c:1", "scoringScript": "s.py"}
    kept = batch.deploy(codeConfiguration=code, environmentId="azureml:own:1").body["properties"]
    assert (kept["codeConfiguration"], kept["environmentId"]) == (code, "azureml:own:1")


def test_what_is_not_sent_is_filled_in_as_azure_does() -> None:
    accepted = accept_settings({})
    assert {key: accepted[key] for key in DEFAULTS} == dict(DEFAULTS)
    assert (accepted["outputAction"], accepted["loggingLevel"], accepted["maxConcurrencyPerInstance"]) == (
        "AppendRow",
        "Info",
        1,
    )


@given(size=st.none() | st.integers(1, 99), threshold=st.none() | st.integers(-1, 99))
def test_a_call_s_setting_wins_over_the_deployment_s(size: int | None, threshold: int | None) -> None:
    found = overridable({"miniBatchSize": size, "errorThreshold": threshold}, accept_settings({"miniBatchSize": 7}))
    assert found["miniBatchSize"] == (7 if size is None else size)
    assert found["errorThreshold"] == (-1 if threshold is None else threshold)


def test_the_default_deployment_stays(batch: Batch) -> None:
    with pytest.raises(BadRequest, match="is the default of endpoint"):
        batch.ready().store.delete_deployment("scores", "first")


def test_an_endpoint_takes_its_deployments_with_it(batch: Batch) -> None:
    batch.ready().store.delete_endpoint("scores")
    batch.store.put_endpoint("scores", {})
    assert batch.store.deployments("scores").all() == []


def test_an_update_without_a_default_takes_it_away(batch: Batch) -> None:
    assert default_of(batch.ready().store.put_endpoint("scores", {})) is None

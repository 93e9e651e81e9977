"""The ARM routes of deployments."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online.deployment_manager import pool_settings
from amlocal.online.operation_responses import with_defaults
from tests.unit.amlocal.online.local_endpoints import LocalEndpoints, run_scenarios

PROBE = {"initialDelay": "PT1S", "period": "PT2S", "timeout": "PT3S", "successThreshold": 1, "failureThreshold": 4}
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "description": st.none() | st.text(max_size=5),
        "requestSettings": st.none()
        | st.fixed_dictionaries({}, optional={"requestTimeout": st.sampled_from([None, "PT1S"])}),
        "livenessProbe": st.none() | st.just(PROBE) | st.just({"period": None}),
        "scaleSettings": st.none() | st.just({"scaleType": "TargetUtilization"}),
        "environmentVariables": st.none() | st.just({"A": "1"}),
    },
)


@given(GIVEN)
def test_what_is_given_is_kept_and_the_rest_is_filled_in(properties: dict[str, Any]) -> None:
    filled = with_defaults(properties)
    for key, value in properties.items():
        if isinstance(value, dict):
            assert {
                name: filled[key][name] for name, sent in value.items() if sent is not None
            }.items() <= value.items()
        elif value is not None:
            assert filled[key] == value
    assert filled["requestSettings"]["requestTimeout"] in ("PT1S", "PT5S")
    assert filled["livenessProbe"].keys() == PROBE.keys()
    assert filled["scaleSettings"]["scaleType"] in ("Default", "TargetUtilization")


@given(GIVEN)
def test_filling_in_again_changes_nothing(properties: dict[str, Any]) -> None:
    filled = with_defaults(properties)
    assert with_defaults(filled) == filled


def test_probes_and_settings_are_what_the_processes_get() -> None:
    settings = {"requestTimeout": "PT1M", "maxConcurrentRequestsPerInstance": 7}
    filled = with_defaults({"requestSettings": settings, "livenessProbe": PROBE, "readinessProbe": PROBE})
    limits = pool_settings(filled, 3)
    assert (limits.instances, limits.concurrent, limits.timeout_s) == (3, 7, 60.0)
    assert (limits.probe_period_s, limits.probe_timeout_s, limits.probe_failures) == (2.0, 3.0, 4)
    assert limits.start_s == 1 + 2 * 4


def test_a_deployment_is_updating_until_it_serves(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.gates["blue"] = asyncio.Event()
        created = await local.deploy()
        properties = created.json["properties"]
        assert (created.status, properties["provisioningState"]) == (201, "Updating")
        assert (properties["livenessProbe"], properties["requestSettings"]["requestTimeout"]) == (None, "PT0S")
        local.gates["blue"].set()
        await local.outcome(created)
        shown = (await local.arm("GET", "scored/deployments/blue")).json["properties"]
        assert (shown["provisioningState"], shown["requestSettings"]["requestTimeout"]) == ("Succeeded", "PT5S")

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "missing"}, "'missing'"),
        ({"instanceType": "big"}, "'big'"),
        ({"instanceType": None}, "instance type"),
        ({"capacity": 0}, "from 1 to 50"),
        ({"capacity": 51}, "from 1 to 50"),
        ({"capacity": "two"}, "from 1 to 50"),
        ({"endpointComputeType": "Mainframe"}, "Managed or Kubernetes, not 'Mainframe'"),
        ({"requestSettings": {"requestTimeout": "PT3M1S"}}, "180 s"),
        ({"requestSettings": {"requestTimeout": "PT0S"}}, "over 0"),
        ({"requestSettings": {"requestTimeout": 5}}, "ISO 8601"),
        ({"requestSettings": {"maxQueueWait": "soon"}}, "ISO 8601"),
        ({"requestSettings": {"maxConcurrentRequestsPerInstance": 0}}, "at least 1"),
        ({"requestSettings": {"maxConcurrentRequestsPerInstance": "x"}}, "whole number"),
        ({"requestSettings": []}, "an object"),
        ({"livenessProbe": {"period": "x"}}, "ISO 8601"),
        ({"livenessProbe": {"period": "PT0S"}}, "period of the livenessProbe"),
        ({"readinessProbe": {"timeout": "x"}}, "ISO 8601"),
        ({"readinessProbe": {"failureThreshold": 0}}, "failureThreshold of the readinessProbe"),
        ({"codeConfiguration": {"codeId": "x"}}, "no scoringScript"),
        ({"codeConfiguration": {"scoringScript": "x"}}, "no codeId"),
        ({"environmentVariables": {"A": []}}, "'A'"),
    ],
)
def test_what_cannot_be_deployed_is_refused_by_name_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        refused = await local.deploy(**changes)
        assert (refused.status, reason in refused.error["message"]) == (400, True), refused.error["message"]
        assert (await local.arm("GET", "scored/deployments")).json["value"] == []

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("name", ["ab", "1ab", "a" * 33, "a_b"])
def test_a_malformed_name_is_refused(tmp_path: Path, name: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        refused = await local.deploy(name)
        assert (refused.status, "deployment name" in refused.error["message"]) == (400, True)

    run_scenarios(tmp_path, scene)


def test_the_twenty_first_deployment_is_refused(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        begun = [await local.deploy(f"blue{number}") for number in range(20)]
        refused = await local.deploy("blue20")
        assert (refused.status, "20" in refused.error["message"]) == (400, True)
        assert (await local.outcome(begun[0]))["status"] == "Succeeded"
        assert (await local.deploy("blue0")).status == 201

    run_scenarios(tmp_path, scene)


def test_a_deployment_needs_its_endpoint(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        missing = await local.deploy()
        assert (missing.status, missing.error["details"][0]["code"]) == (404, "NoSuchEndpoint")

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("path", ["scored/deployments/grey", "nowhere/deployments/grey"])
def test_a_deployment_that_is_not_there_is_missed(tmp_path: Path, path: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        assert (await local.arm("GET", path)).status == 404
        assert (await local.arm("POST", f"{path}/getLogs", {})).status == 404

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    "properties", [{"traffic": {"blue": 100}}, {"traffic": {"green": 100}, "mirrorTraffic": {"blue": 1}}]
)
def test_a_deployment_with_traffic_of_either_kind_stays(tmp_path: Path, properties: dict[str, Any]) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        await local.endpoint(**properties)
        refused = await local.arm("DELETE", "scored/deployments/BLUE")
        assert (refused.status, "to 0 first" in refused.error["message"]) == (400, True)
        assert (await local.score(deployment="blue")).status == 200

    run_scenarios(tmp_path, scene)


def test_a_deployment_without_traffic_is_deleted_once(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        deleted = await local.arm("DELETE", "scored/deployments/green")
        assert deleted.status == 202
        assert (await local.outcome(deleted))["status"] == "Succeeded"
        await local.processes["green"][0].end
        assert (await local.arm("DELETE", "scored/deployments/green")).status == 204
        assert (await local.score(deployment="green")).status == 404

    run_scenarios(tmp_path, scene)


def test_deleting_at_an_endpoint_that_is_not_there_is_404(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        assert (await local.arm("DELETE", "nowhere/deployments/blue")).status == 404

    run_scenarios(tmp_path, scene)


def test_lists_hold_the_newest_first(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        names = [row["name"] for row in (await local.arm("GET", "scored/deployments")).json["value"]]
        assert names == ["green", "blue"]

    run_scenarios(tmp_path, scene)

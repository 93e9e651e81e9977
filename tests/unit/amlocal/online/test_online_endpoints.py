"""The ARM routes of endpoints."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.amlocal.online.local_endpoints import LocalEndpoints, run_scenarios


def test_an_endpoint_is_created_without_traffic(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        created = await local.endpoint()
        assert (created.status, created.json["properties"]["provisioningState"]) == (201, "Creating")
        assert created.json["properties"]["scoringUri"] is None
        assert (await local.outcome(created))["status"] == "Succeeded"
        shown = (await local.arm("GET", "scored")).json["properties"]
        assert (shown["traffic"], shown["mirrorTraffic"], shown["provisioningState"]) == ({}, {}, "Succeeded")
        assert shown["scoringUri"].endswith("/endpoints/scored/score")

    run_scenarios(tmp_path, scene)


def test_a_change_of_traffic_answers_with_the_old_and_shows_the_new(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        changed = await local.endpoint(traffic={"blue": 10, "green": 90})
        assert changed.json["properties"]["traffic"] == {"blue": 100}
        assert (await local.arm("GET", "scored")).json["properties"]["traffic"] == {"blue": 10, "green": 90}

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"traffic": {"blue": 50}}, "add up"),
        ({"traffic": {"grey": 100}}, "grey"),
        ({"traffic": {"broken": 100}}, "never been ready"),
        ({"traffic": {"blue": 100}, "mirrorTraffic": {"green": 51}}, "50 percent"),
        ({"traffic": {"blue": 100}, "mirrorTraffic": {"blue": 10}}, "live traffic"),
        ({"authMode": "AMLToken"}, "cannot be changed"),
        ({"authMode": "None"}, "not one of"),
        ({"traffic": []}, "object"),
    ],
)
def test_what_azure_would_refuse_is_refused_and_changes_nothing(
    tmp_path: Path, properties: dict[str, Any], reason: str
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        await local.serving("green")
        await local.outcome(await local.deploy("broken"))
        refused = await local.endpoint(**properties)
        assert (refused.status, reason in refused.error["message"]) == (400, True)
        assert (await local.arm("GET", "scored")).json["properties"]["traffic"] == {"blue": 100}

    run_scenarios(tmp_path, scene)


def test_what_azure_has_and_a_machine_has_not_is_named(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        for refused, feature in (
            (await local.endpoint(compute="azureml:k8s"), "Kubernetes online endpoints"),
            (await local.deploy(endpointComputeType="Kubernetes"), "Kubernetes online deployments"),
        ):
            text = f"{feature} are not served by amlocal yet"
            assert (refused.status, refused.error["message"].startswith(text)) == (501, True)

    run_scenarios(tmp_path, scene)


def test_an_update_changes_the_tags_and_leaves_the_traffic(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        changed = await local.arm("PATCH", "scored", {"tags": {"team": "b"}})
        assert (changed.status, (await local.outcome(changed))["status"]) == (202, "Succeeded")
        shown = (await local.arm("GET", "scored")).json
        assert (shown["tags"], shown["properties"]["traffic"]) == ({"team": "b"}, {"blue": 100})

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    ("name", "body", "status"), [("scored", {"properties": {}}, 400), ("other", {"tags": {}}, 404)]
)
def test_an_update_of_more_than_tags_or_of_nothing_is_refused(
    tmp_path: Path, name: str, body: dict[str, Any], status: int
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving("blue")
        assert (await local.arm("PATCH", name, body)).status == status

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("name", ["ab", "1ab", "a" * 33, "a_b", "ab-"])
def test_a_malformed_name_is_refused(tmp_path: Path, name: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        refused = await local.endpoint(name)
        assert (refused.status, repr(name) in refused.error["message"]) == (400, True)

    run_scenarios(tmp_path, scene)


def test_a_name_that_is_taken_is_an_update_in_any_case_and_keeps_keys_and_birthday(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        first = await local.endpoint()
        key = await local.key()
        local.clock.advance(minutes=1)
        again = await local.endpoint("SCORED", description="again")
        assert again.json["properties"]["provisioningState"] == "Updating"
        assert again.json["systemData"]["createdAt"] == first.json["systemData"]["createdAt"]
        assert again.json["systemData"]["lastModifiedAt"] != first.json["systemData"]["lastModifiedAt"]
        assert await local.key() == key
        assert len((await local.arm("GET", "")).json["value"]) == 1

    run_scenarios(tmp_path, scene)


def test_what_an_answer_says_of_itself_is_no_property_when_it_comes_back(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        created = await local.endpoint(properties={"own": "1"})
        await local.endpoint(properties=created.json["properties"]["properties"] | {"createdBy": "x"})
        shown = (await local.arm("GET", "scored")).json["properties"]["properties"]
        assert set(shown) == {"own", "azureml.onlineendpointid", "AzureAsyncOperationUri"}

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(("kind", "changed"), [("Primary", "primaryKey"), ("Secondary", "secondaryKey")])
def test_one_key_is_made_anew_and_the_other_stays(tmp_path: Path, kind: str, changed: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        before = (await local.arm("POST", "scored/listKeys")).json
        assert (await local.arm("POST", "scored/regenerateKeys", {"keyType": kind, "keyValue": "x"})).status == 200
        after = (await local.arm("POST", "scored/listKeys")).json
        assert {key for key in after if before[key] != after[key]} == {changed}

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize(
    ("mode", "call", "body", "status"),
    [
        ("AMLToken", "listKeys", None, 400),
        ("Key", "token", None, 400),
        ("AADToken", "token", None, 400),
        ("AMLToken", "regenerateKeys", {"keyType": "Primary"}, 409),
        ("Key", "regenerateKeys", {"keyType": "Third"}, 400),
        ("Key", "regenerateKeys", {}, 400),
    ],
)
def test_what_the_mode_does_not_have_is_refused(
    tmp_path: Path, mode: str, call: str, body: dict[str, Any] | None, status: int
) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint(authMode=mode)
        refused = await local.arm("POST", f"scored/{call}", body)
        assert refused.status == status
        assert mode in refused.error["message"] or "keyType" in refused.error["message"]

    run_scenarios(tmp_path, scene)


def test_keys_and_tokens_are_kept_by_no_cache(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint("keyed")
        await local.endpoint("tokened", authMode="AMLToken")
        for path in ("keyed/listKeys", "tokened/token"):
            assert (await local.arm("POST", path)).headers["cache-control"] == "no-store"

    run_scenarios(tmp_path, scene)


def test_a_deleted_endpoint_is_gone_with_what_served_behind_it(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        key = await local.key()
        deleted = await local.arm("DELETE", "scored")
        assert (deleted.status, deleted.body) == (202, b"null")
        assert "/mfeOperationResults/oe:" in deleted.headers["location"]
        assert (await local.outcome(deleted))["status"] == "Succeeded"
        await local.processes["blue"][0].end
        assert (await local.arm("GET", "scored")).status == 404
        assert (await local.score(key=key)).status == 404
        assert (await local.arm("DELETE", "scored")).status == 204

    run_scenarios(tmp_path, scene)


def test_an_endpoint_that_is_not_there_is_missed_in_azures_words(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        missing = await local.arm("GET", "nowhere")
        assert (missing.status, missing.error["code"]) == (404, "NotFound")
        assert missing.error["details"][0]["code"] == "NoSuchEndpoint"

    run_scenarios(tmp_path, scene)


def test_access_from_the_network_is_kept_as_it_was_chosen(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint(publicNetworkAccess="Disabled")
        assert (await local.arm("GET", "scored")).json["properties"]["publicNetworkAccess"] == "Disabled"

    run_scenarios(tmp_path, scene)

import pytest

from tests.unit.amlocal.asgi import ORIGIN, Client, Workspace

RESOURCES = "Microsoft.MachineLearningServices/workspaces"


def test_the_workspace_says_who_it_is(workspace: Workspace) -> None:
    body = workspace.ask("GET", workspace.arm).json
    assert (body["id"], body["name"]) == (workspace.arm, "local")
    assert body["properties"]["workspaceId"] == workspace.identity.guid


def test_it_is_found_in_any_case(workspace: Workspace) -> None:
    assert workspace.ask("GET", workspace.arm.upper()).json["id"] == workspace.arm


@pytest.mark.parametrize("scope", ["subscription", "group"])
def test_it_is_listed(workspace: Workspace, scope: str) -> None:
    root = workspace.identity.group_id if scope == "group" else f"/subscriptions/{workspace.identity.subscription}"
    rows = workspace.ask("GET", f"{root}/providers/{RESOURCES}").json["value"]
    assert [row["id"] for row in rows] == [workspace.arm]


def test_azure_cli_finds_the_one_subscription_and_tenant(workspace: Workspace) -> None:
    identifier = workspace.identity.subscription
    (one,) = workspace.ask("GET", "/subscriptions").json["value"]
    assert one == workspace.ask("GET", f"/subscriptions/{identifier}").json
    assert (one["subscriptionId"], one["state"]) == (identifier, "Enabled")
    (tenant,) = workspace.ask("GET", "/tenants").json["value"]
    assert tenant["tenantId"] == one["tenantId"]


@pytest.mark.parametrize(("kind", "count"), [("Default", 1), ("hub", 0), ("", 1)])
def test_a_listing_asks_for_a_kind(workspace: Workspace, kind: str, count: int) -> None:
    answer = workspace.ask("GET", f"{workspace.identity.group_id}/providers/{RESOURCES}", query={"kind": kind})
    assert len(answer.json["value"]) == count


def test_discovery_needs_no_token_and_names_one_origin(workspace: Workspace) -> None:
    url = workspace.ask("GET", workspace.arm).json["properties"]["discoveryUrl"]
    assert set(Client(workspace.app)("GET", url).json.values()) == {ORIGIN}


def test_the_dates_are_those_of_the_folder(workspace: Workspace) -> None:
    before = workspace.ask("GET", workspace.arm).json
    workspace.clock.advance(days=1)
    workspace.ask = Client(workspace.app, workspace.tokens.issue("any")[0])
    assert workspace.ask("GET", workspace.arm).json == before


def test_dates_of_a_workspace_end_in_z(workspace: Workspace) -> None:
    data = workspace.ask("GET", workspace.arm).json["systemData"]
    assert {data["createdAt"][-1], data["lastModifiedAt"][-1]} == {"Z"}

"""What holds for every kind of asset: versions never change, containers sum them up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.amlocal.asgi import FEW, Client, Workspace
from tests.unit.amlocal.assets.kinds import CODES, DATA, ENVIRONMENTS, MODELS, Kind

VERSIONS = st.integers(0, 10**6).map(str) | st.sampled_from(["a", "1.0", "v2", "007"])
TAGS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4)


def test_a_version_that_was_created_is_found(workspace: Workspace, kind: Kind) -> None:
    created = kind.put(workspace, description="d", tags={"k": "v"}, properties={"p": "q"})
    assert created.status == 201
    assert created.json == kind.get(workspace).json
    assert created.json["id"] == f"{workspace.arm}/{kind.collection}/n/versions/1"
    assert created.json["name"] == "1"
    kept = created.json["properties"]
    assert (kept["description"], kept["tags"], kept["properties"]) == ("d", {"k": "v"}, {"p": "q"})


def test_the_location_of_a_new_version_leads_to_it(workspace: Workspace, kind: Kind) -> None:
    created = kind.put(workspace)
    assert workspace.ask("GET", created.headers["location"]).json == created.json


def test_a_version_cannot_be_changed_and_says_so_in_azures_words(workspace: Workspace, kind: Kind) -> None:
    before = kind.put(workspace).json
    answer = kind.put_other(workspace)
    assert (answer.status, answer.error["code"], answer.error["message"]) == (409, "UserError", kind.conflict)
    assert kind.get(workspace).json == before


def test_the_same_definition_again_is_no_conflict(workspace: Workspace, kind: Kind) -> None:
    kind.put(workspace)
    again = kind.put(workspace)
    assert again.status == kind.repeat_status
    assert ("location" in again.headers) is (kind.repeat_status == 201)


def test_the_same_definition_again_moves_the_date_of_the_last_change_where_azure_does(
    workspace: Workspace, kind: Kind
) -> None:
    created = kind.put(workspace).json["systemData"]
    workspace.clock.advance(hours=1)
    again = kind.put(workspace).json["systemData"]
    assert again["createdAt"] == created["createdAt"]
    assert (again["lastModifiedAt"] == created["lastModifiedAt"]) is (kind is ENVIRONMENTS)


def test_tags_description_and_properties_can_change(workspace: Workspace, kind: Kind) -> None:
    kind.put(workspace, tags={"old": "1"})
    kind.put(workspace, tags={"new": "2"}, description="d", properties={"p": "q"})
    kept = kind.get(workspace).json["properties"]
    assert (kept["tags"], kept["description"], kept["properties"]) == ({"new": "2"}, "d", {"p": "q"})


@FEW
@given(tags=TAGS)
def test_any_tags_are_kept(shared_workspace: Workspace, tags: dict[str, str]) -> None:
    DATA.put(shared_workspace, "tagged", tags=tags)
    assert DATA.get(shared_workspace, "tagged").json["properties"]["tags"] == tags


def test_a_version_that_azure_does_not_have_is_missing_in_azures_words(workspace: Workspace, kind: Kind) -> None:
    answer = kind.get(workspace)
    assert (answer.status, answer.error["code"], answer.error["message"]) == (404, "UserError", kind.missing)


def test_a_missing_model_is_explained_in_a_detail(workspace: Workspace) -> None:
    for answer, message in (
        (MODELS.get(workspace), "Model with name: n and version: 1 not found."),
        (MODELS.container(workspace), "Model container with name: n not found."),
    ):
        assert [(detail["code"], detail["message"]) for detail in answer.error["details"]] == [
            ("ModelNotFound", message)
        ]


def test_a_name_without_versions_is_missing(workspace: Workspace, kind: Kind) -> None:
    assert kind.container(workspace).status == 404
    assert kind.versions(workspace) == []


def test_a_version_that_was_deleted_is_gone(workspace: Workspace, kind: Kind) -> None:
    kind.put(workspace)
    url = workspace.arm_of(f"{kind.collection}/n/versions/1")
    assert [workspace.ask("DELETE", url).status for _ in range(2)] == [200, 204]
    assert kind.get(workspace).status == 404


def test_versions_are_listed_newest_creation_first(workspace: Workspace, listed: Kind) -> None:
    for version in ("3", "1", "x", "2"):
        listed.put(workspace, version=version)
    listed.put(workspace, version="3", tags={"touched": "yes"})
    assert listed.versions(workspace) == ["2", "x", "1", "3"]


def test_the_latest_is_the_newest_creation_not_the_highest_number(workspace: Workspace, listed: Kind) -> None:
    for version in ("10", "2"):
        listed.put(workspace, version=version)
    latest = {"$orderBy": "createdtime desc", "$top": "1"}
    assert listed.versions(workspace, **latest) == ["2"]
    assert listed.container(workspace).json["properties"]["latestVersion"] == "2"


@FEW
@given(versions=st.lists(VERSIONS, unique=True, min_size=1, max_size=6))
def test_the_next_version_is_above_every_number(shared_workspace: Workspace, versions: list[str]) -> None:
    name = shared_workspace.fresh()
    for version in versions:
        DATA.put(shared_workspace, name, version)
    following = int(DATA.container(shared_workspace, name).json["properties"]["nextVersion"])
    assert following == max([int(version) for version in versions if version.isdecimal()], default=0) + 1


def test_archived_versions_count_for_the_next(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace, version="7", isArchived=True)
    properties = listed.container(workspace).json["properties"]
    assert (properties["nextVersion"], properties["latestVersion"]) == ("8", None)


def test_an_archived_version_is_not_listed_but_found(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace, version="1")
    listed.put(workspace, version="2")
    listed.put(workspace, version="2", isArchived=True)
    assert listed.versions(workspace) == ["1"]
    assert listed.versions(workspace, listViewType="ArchivedOnly") == ["2"]
    assert listed.versions(workspace, listViewType="All") == ["2", "1"]
    assert listed.get(workspace, version="2").json["properties"]["isArchived"] is True
    assert listed.container(workspace).json["properties"]["latestVersion"] == "1"


def test_what_was_archived_is_restored(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace, isArchived=True)
    sent = listed.get(workspace).json["properties"]
    assert workspace.put(f"{listed.collection}/n/versions/1", sent | {"isArchived": False}).status in (200, 201)
    assert listed.versions(workspace) == ["1"]


def test_what_the_service_gave_can_be_put_back(workspace: Workspace, kind: Kind) -> None:
    kind.put(workspace)
    sent = kind.get(workspace).json["properties"]
    assert workspace.put(f"{kind.collection}/n/versions/1", sent).status == kind.repeat_status
    assert kind.get(workspace).json["properties"] == sent


@pytest.mark.parametrize(
    ("tag", "found"), [("colour", ["2", "1"]), ("colour=red", ["1"]), ("colour=", []), ("size", [])]
)
def test_versions_are_listed_by_tag(workspace: Workspace, listed: Kind, tag: str, found: list[str]) -> None:
    listed.put(workspace, version="1", tags={"colour": "red"})
    listed.put(workspace, version="2", tags={"colour": "blue"})
    listed.put(workspace, version="3")
    assert listed.versions(workspace, tag=tag) == found


def test_model_versions_are_listed_by_stage(workspace: Workspace) -> None:
    MODELS.put(workspace, version="1", stage="Production")
    MODELS.put(workspace, version="2")
    assert MODELS.versions(workspace, stage="Production") == ["1"]


def test_names_are_listed_newest_first(workspace: Workspace, listed: Kind) -> None:
    for name in ("b", "a", "c"):
        listed.put(workspace, name)
    listed.put(workspace, "a", "2")
    assert listed.names(workspace) == ["c", "a", "b"]


def test_a_long_list_comes_in_pages(workspace: Workspace, listed: Kind) -> None:
    for number in range(103):
        listed.put(workspace, f"n{number}")
    first = workspace.get(listed.collection, listViewType="ActiveOnly").json
    rest = workspace.ask("GET", first["nextLink"]).json
    assert "nextLink" not in rest
    names = [row["name"] for row in first["value"] + rest["value"]]
    assert names == [f"n{number}" for number in reversed(range(103))]


def test_an_archived_name_is_not_listed_but_found(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace)
    workspace.put(f"{listed.collection}/n", {"isArchived": True})
    assert (listed.names(workspace), listed.names(workspace, listViewType="ArchivedOnly")) == ([], ["n"])
    assert listed.container(workspace).json["properties"]["isArchived"] is True
    workspace.put(f"{listed.collection}/n", {"isArchived": False})
    assert listed.names(workspace) == ["n"]


def test_a_name_has_tags_and_a_description_of_its_own(workspace: Workspace) -> None:
    MODELS.put(workspace)
    workspace.put("models/n", {"tags": {"k": "v"}, "description": "d"})
    workspace.put("models/n", {"isArchived": False})
    properties = MODELS.container(workspace).json["properties"]
    assert (properties["tags"], properties["description"]) == ({"k": "v"}, "d")
    assert MODELS.get(workspace).json["properties"]["tags"] == {}


def test_a_name_can_be_made_before_its_first_version(workspace: Workspace, listed: Kind) -> None:
    assert workspace.put(f"{listed.collection}/n", {"description": "d"}).status == 200
    properties = listed.container(workspace).json["properties"]
    assert (properties["latestVersion"], properties["nextVersion"]) == (None, "1")


def test_anonymous_assets_are_not_listed_by_name(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace, "hidden", isAnonymous=True)
    listed.put(workspace, "shown")
    assert listed.names(workspace) == ["shown"]
    assert listed.get(workspace, "hidden").status == 200


def test_the_prefix_that_the_sdk_leaves_on_a_name_is_dropped(workspace: Workspace, listed: Kind) -> None:
    listed.put(workspace, "azureml:n")
    assert listed.names(workspace) == ["n"]
    assert listed.container(workspace, "azureml:n").json["name"] == "n"
    assert listed.versions(workspace, "azureml:n") == ["1"]


@pytest.mark.parametrize("name", ["-a", "a%20b", "a%2Fb", "%C3%BC", "a" * 256, "_a", "..", "a:b"])
def test_a_name_that_azure_refuses_is_refused(workspace: Workspace, kind: Kind, name: str) -> None:
    assert kind.put(workspace, name).status == 400
    assert kind.put(workspace, "n", name).status == 400


@pytest.mark.parametrize("name", ["a", "9", "A.b-c_d", "a" * 255])
def test_a_name_that_azure_takes_is_taken(workspace: Workspace, kind: Kind, name: str) -> None:
    assert kind.put(workspace, name, name).status == 201


def test_who_has_no_token_sees_nothing(workspace: Workspace, kind: Kind) -> None:
    kind.put(workspace)
    assert Client(workspace.app)("GET", workspace.arm_of(f"{kind.collection}/n/versions/1")).status == 401


def test_kinds_do_not_share_names(workspace: Workspace) -> None:
    DATA.put(workspace)
    assert [kind.get(workspace).status for kind in (ENVIRONMENTS, MODELS, CODES)] == [404, 404, 404]

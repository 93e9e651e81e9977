from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.amlocal.asgi import FEW, Answer, Workspace
from tests.unit.amlocal.assets.kinds import DATA

SHORT = "azureml://datastores/workspaceblobstore/paths"
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=9)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join).filter(lambda path: not path.startswith("paths/"))


def put(workspace: Workspace, uri: str | None, kind: str | None, name: str = "n", **more: Any) -> Answer:
    return workspace.put(f"data/{name}/versions/1", {"dataUri": uri, "dataType": kind, **more})


@FEW
@given(path=PATHS, kind=st.sampled_from(["uri_file", "uri_folder", "mltable"]))
def test_a_short_uri_comes_back_long_and_folders_end_in_one_slash(
    shared_workspace: Workspace, path: str, kind: str
) -> None:
    name = shared_workspace.fresh()
    kept = put(shared_workspace, f"{SHORT}/{path}", kind, name).json["properties"]["dataUri"]
    long = shared_workspace.identity.datastore_uri("workspaceblobstore", path)
    assert kept == (long if kind == "uri_file" else f"{long}/")


@pytest.mark.parametrize("kind", ["uri_file", "uri_folder", "mltable"])
def test_the_short_and_the_long_uri_are_the_same_definition(workspace: Workspace, kind: str) -> None:
    long = put(workspace, f"{SHORT}/x", kind).json["properties"]["dataUri"]
    assert {put(workspace, uri, kind).status for uri in (long, f"{SHORT}/x")} == {200}


@pytest.mark.parametrize(
    ("uri", "kept"), [("https://example.org", "https://example.org/"), ("wasbs://c@a/p/", "wasbs://c@a/p/")]
)
def test_a_uri_from_elsewhere_is_taken_unchecked(workspace: Workspace, uri: str, kept: str) -> None:
    assert put(workspace, uri, "uri_folder").json["properties"]["dataUri"] == kept


def test_a_folder_is_the_type_of_one_that_names_none(workspace: Workspace) -> None:
    assert put(workspace, f"{SHORT}/x", None).json["properties"]["dataType"] == "uri_folder"


def test_another_type_is_another_definition(workspace: Workspace) -> None:
    put(workspace, f"{SHORT}/x", "uri_folder")
    assert put(workspace, f"{SHORT}/x", "mltable").status == 409


def test_the_container_has_the_type_of_the_newest(workspace: Workspace) -> None:
    put(workspace, f"{SHORT}/x", "mltable")
    assert DATA.container(workspace).json["properties"]["dataType"] == "mltable"


def test_what_an_mltable_refers_to_is_kept(workspace: Workspace) -> None:
    answer = put(workspace, f"{SHORT}/t", "mltable", referencedUris=["./a.csv"])
    assert answer.json["properties"]["referencedUris"] == ["./a.csv"]


def test_nobody_has_edited_a_version_until_it_was_put_again(workspace: Workspace) -> None:
    assert "lastModifiedBy" not in DATA.put(workspace).json["systemData"]
    assert "lastModifiedBy" in DATA.put(workspace).json["systemData"]


@pytest.mark.parametrize(
    ("uri", "kind"), [(None, "uri_file"), ("", "uri_file"), (7, "uri_file"), ("https://x", "table"), ("https://x", [])]
)
def test_what_is_no_data_asset_is_refused(workspace: Workspace, uri: Any, kind: Any) -> None:
    assert put(workspace, uri, kind).status == 400
    assert DATA.container(workspace).status == 404

"""Where a URI points: every form that the SDK, Azure ML and the storage account write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import NotFound
from amlocal.datastores.store import DEFAULT, Datastores, Location
from tests.unit.amlocal.asgi import Workspace

SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/?"), min_size=1, max_size=12)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join).filter(lambda path: not path.startswith("paths/"))


@pytest.fixture(scope="module")
def datastores(shared_workspace: Workspace) -> Datastores:
    return Datastores(shared_workspace.app._context)


@given(path=PATHS)
def test_every_datastore_uri_leads_to_the_container_of_its_datastore(
    shared_workspace: Workspace, datastores: Datastores, path: str
) -> None:
    identity = shared_workspace.identity
    forms = {
        f"azureml://datastores/{DEFAULT}/paths/{path}",
        f"azureml://datastores/{DEFAULT}/{path}",
        f"azureml://workspaces/{identity.guid}/datastores/{DEFAULT}/paths/{path}",
        identity.datastore_uri(DEFAULT, path),
        identity.datastore_uri(DEFAULT, path, group="resourceGroups"),
    }
    assert {datastores.locate(form) for form in forms} == {Location(datastores.default_container, path.strip("/"))}


@given(path=st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join))
def test_every_url_of_the_account_leads_to_the_same_place(datastores: Datastores, path: str) -> None:
    roots = (
        "https://127.0.0.1:8443/devstore",
        "https://127.0.0.1:8443/devstore.blob.core.windows.net",  # as the SDK builds it from the account's name
        "https://127.0.0.1:8443",  # docker build contexts: the SDK's join of URLs loses the account
        "https://localhost:8443/devstore",
        "https://127.0.0.1:9/devstore",  # the server's port of yesterday
    )
    found = {datastores.locate(f"{root}/box/{path}") for root in roots}
    assert found == {Location("box", path)}


@pytest.mark.parametrize("tail", ["x/", "x", "/x/"])
def test_a_location_has_no_slash_at_either_end(datastores: Datastores, tail: str) -> None:
    assert datastores.locate(f"azureml://datastores/{DEFAULT}/paths/{tail}") == Location(
        datastores.default_container, "x"
    )


def test_a_signature_at_the_end_of_a_url_is_no_part_of_the_path(datastores: Datastores) -> None:
    assert datastores.locate("https://127.0.0.1:8443/devstore/box/x?sv=1&sig=a%2Fb") == Location("box", "x")


def test_a_container_alone_is_the_whole_container(datastores: Datastores) -> None:
    assert datastores.locate("https://127.0.0.1:8443/devstore/box/") == Location("box", "")


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org/devstore/box/x",
        "http://127.0.0.1:8443/devstore/box/x",
        "https://127.0.0.1:8443/",
        "https://127.0.0.1:8443/devstore",
        "wasbs://box@devstore/x",
        "azureml:d:1",
        "C:\\data",
        "https://[broken",
        "",
    ],
)
def test_anything_else_is_not_here(datastores: Datastores, uri: str) -> None:
    assert datastores.locate(uri) is None


def test_an_unknown_datastore_is_named(datastores: Datastores) -> None:
    with pytest.raises(NotFound, match=r"Could not find datastore: nowhere\."):
        datastores.locate("azureml://datastores/nowhere/paths/x")

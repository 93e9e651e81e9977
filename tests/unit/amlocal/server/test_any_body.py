"""Whatever a client sends to create something, it is taken, refused or not served: never a fault of the server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.amlocal.asgi import FEW, Workspace

KEYS = st.sampled_from([
    "accountName", "autoDeleteSetting", "build", "codeUri", "computeType", "condaFile", "containerName", "contextUri",
    "credentials", "credentialsType", "dataType", "dataUri", "datastoreType", "description", "disableLocalAuth",
    "dockerfilePath", "flavors", "image", "inferenceConfig", "isAnonymous", "isArchived", "jobName", "maxNodeCount",
    "minNodeCount", "modelType", "modelUri", "nodeIdleTimeBeforeScaleDown", "osType", "properties", "referencedUris",
    "scaleSettings", "stage", "tags", "vmSize",
])  # fmt: skip
TEXTS = st.text(max_size=9) | st.sampled_from([
    "AmlCompute", "AzureBlob", "Sas", "devstore", "uri_file", "mlflow_model", "https://x/y", "PT2M",
    "azureml://datastores/workspaceblobstore/paths/x", "azureml://jobs/j/outputs/o/paths/p", "runs:/r/p",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(["properties", "tags", "location"]), VALUES) | st.fixed_dictionaries(
    {"properties": st.dictionaries(KEYS, VALUES, max_size=10)}
)


@pytest.mark.parametrize(
    "path",
    [
        "environments/n/versions/1", "environments/n", "data/n/versions/1", "data/n", "models/n/versions/1", "models/n",
        "codes/n/versions/1", "datastores/n", "computes/nodes",
    ],
)  # fmt: skip
@FEW
@given(body=BODIES)
def test_no_body_is_a_fault_of_the_server(shared_workspace: Workspace, path: str, body: dict[str, Any]) -> None:
    answer = shared_workspace.ask("PUT", shared_workspace.arm_of(path), body)
    assert answer.status in {200, 201, 400, 404, 409, 501}, answer.body
    if answer.status < 300:
        assert shared_workspace.get(path).status == 200


@FEW
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["$top", "$skip", "$skipToken", "$maxpagesize", "$orderBy", "listViewType", "tag", "isDefault"]
        ),
        st.text(max_size=9),
    )
)
@pytest.mark.parametrize(
    "path", ["environments", "data/n/versions", "models", "codes/n/versions", "datastores", "computes"]
)
def test_no_query_is_a_fault_of_the_server(shared_workspace: Workspace, path: str, query: dict[str, str]) -> None:
    assert shared_workspace.get(path, **query).status in {200, 400}

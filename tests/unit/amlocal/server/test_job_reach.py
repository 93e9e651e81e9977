"""What the token of a job opens of the whole application: route by route, nothing by default."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from amlocal.assembly.credentials import check_caller
from amlocal.core.errors import Forbidden
from amlocal.identity.routes import ML_AUDIENCE
from amlocal.identity.tokens import Tokens, TokenScope
from amlocal.jobs.status import Status
from tests.unit.amlocal.asgi import Client, Workspace, open_workspace
from tests.unit.amlocal.blobs.wire import ManualClock

# By route: what a job's own token may ask for. Everything else that needs a token is closed to it.
OPEN = {
    ("GET", "{arm}"),
    ("GET", "{arm}/jobs/{name}"),
    ("GET", "{arm}/datastores/{name}"),
    *(
        (method, f"/history/v1.0{{arm}}{middle}/runs/{{name}}{end}")
        for middle in ("", "/experiments/{experiment}", "/experimentids/{experiment}")
        for method, end in (
            ("GET", ""),
            ("PATCH", ""),
            ("GET", "/details"),
            ("GET", "/children"),
            ("GET", "/serviceinstances/{node}"),
        )
    ),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as workspace:
        yield workspace


def job_client(workspace: Workspace, job: str = "mine", *, whole: bool = False) -> Client:
    """Return a client with a job's token; the job is made, and runs."""
    workspace.app._context.documents.put("job", job, _job(Status.RUNNING))
    token, _ = workspace.tokens.issue("any", scope=TokenScope(job, whole))
    return Client(workspace.app, token)


def _job(status: Status) -> dict[str, object]:
    properties = {
        "inputs": {"x": {"jobInputType": "uri_folder", "uri": "azureml://datastores/workspaceblobstore/paths/in/"}},
        "outputs": {"y": {"jobOutputType": "uri_folder", "uri": None}},
        "codeId": None,
        "jobType": "Command",
        "tags": {},
        "parentJobName": None,
        "isArchived": False,
    }
    return {"status": status, "properties": properties, "revision": 1, "tracked": 1}


def test_every_route_that_needs_a_token_is_closed_to_jobs_but_those_listed(workspace: Workspace) -> None:
    ask = job_client(workspace)
    asked = 0
    for route in workspace.app.routes:
        generic = (route.method, route.path.replace(workspace.arm, "{arm}"))
        if route.auth != "bearer" or generic in OPEN:
            continue
        answer = ask(route.method, re.sub(r"\{[^}]+\}", "other", route.path))
        assert (answer.status, answer.error["code"]) == (403, "AuthorizationFailed"), generic
        assert "does not have authorization to perform action" in answer.error["message"]
        asked += 1
    assert asked > 60


@pytest.mark.parametrize("path", ["jobs/other", "datastores"])
def test_another_jobs_things_are_closed(workspace: Workspace, path: str) -> None:
    ask = job_client(workspace)
    job_client(workspace, "other")
    assert ask("GET", workspace.arm_of(path)).status == 403
    assert ask("GET", f"/history/v1.0{workspace.arm}/runs/other").status == 403


def test_the_workspace_itself_is_shown_to_its_jobs(workspace: Workspace) -> None:
    assert job_client(workspace)("GET", workspace.arm).json["name"] == workspace.identity.name


def test_a_declared_identity_opens_the_workspace_while_the_job_runs(workspace: Workspace) -> None:
    ask = job_client(workspace, whole=True)
    assert ask("GET", workspace.arm_of("datastores")).status == 200
    workspace.app._context.documents.put("job", "mine", _job(Status.COMPLETED))
    assert ask("GET", workspace.arm_of("datastores")).status == 401


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.FINALIZING])
def test_a_token_ends_with_its_job(workspace: Workspace, status: Status) -> None:
    ask = job_client(workspace)
    workspace.app._context.documents.put("job", "mine", _job(status))
    for path in (
        workspace.arm,
        "/mlflow/api/2.0/mlflow/runs/get?run_id=mine",
        "/devstore/azureml/ExperimentRun/dcid.mine/x",
    ):
        assert ask("GET", path).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "azureml-blobstore/in/x.csv", 404),
        ("PUT", "azureml-blobstore/in/x.csv", 403),
        ("GET", "azureml-blobstore/in2/x.csv", 403),
        ("PUT", "azureml-blobstore/azureml/mine/y/x", 201),
        ("PUT", "azureml-blobstore/azureml/other/y/x", 403),
        ("PUT", "azureml/ExperimentRun/dcid.mine/x", 201),
        ("GET", "azureml/ExperimentRun/dcid.other/x", 403),
        ("GET", "azureml-blobstore?restype=container&comp=list&prefix=in/", 200),
        ("GET", "azureml-blobstore?restype=container&comp=list&prefix=in", 403),
        ("GET", "azureml-blobstore?restype=container&comp=list", 403),
        ("GET", "azureml-blobstore?restype=container", 403),
        ("PUT", "new?restype=container", 403),
    ],
)
def test_storage_is_open_where_the_jobs_inputs_and_outputs_are(
    workspace: Workspace, method: str, path: str, status: int
) -> None:
    container = workspace.get("datastores/workspaceblobstore").json["properties"]["containerName"]
    headers = {"x-ms-blob-type": "BlockBlob", "content-length": "1"}
    target = f"/devstore/{path.replace('azureml-blobstore', container)}"
    assert job_client(workspace)(method, target, b"x", headers=headers).status == status


def test_a_jobs_secret_gets_tokens_of_the_job_and_no_others(workspace: Workspace) -> None:
    ask = job_client(workspace)
    secret = {"x-identity-header": ask.token}
    got = ask("GET", "/msi/token", query={"resource": "https://ml.azure.com"}, headers=secret).json["access_token"]
    assert Client(workspace.app, got)("GET", workspace.arm_of("models")).status == 403
    assert Client(workspace.app, got)("GET", workspace.arm_of("jobs/mine")).status != 403
    whole = {"x-identity-header": workspace.ask.token}  # a token is no secret to get others by
    assert ask("GET", "/msi/token", query={"resource": "x"}, headers=whole).status == 401


@pytest.mark.parametrize(
    ("scope", "passes"), [(None, True), (TokenScope("mine", whole=True), True), (TokenScope("mine"), False)]
)
def test_a_job_calls_an_endpoint_only_with_an_identity(scope: TokenScope | None, passes: bool) -> None:
    tokens = Tokens("k" * 32, "workspace", ManualClock(), lambda _: True)
    header = f"Bearer {tokens.issue(ML_AUDIENCE, scope=scope)[0]}"
    with nullcontext() if passes else pytest.raises(Forbidden):
        check_caller(tokens, header)

"""A job that sees nothing of the rest of the workspace: what it can reach, and what is seen of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlocal import testing
from tests.contract.amlocal.test_jobs_sdk import ENVIRONMENT, eventually

pytestmark = [
    pytest.mark.xdist_group("amlocal-job-apart"),  # they share one workspace
    # azure-ai-ml's own, on its import
    pytest.mark.filterwarnings("ignore::DeprecationWarning:azure.*"),
]


class JobSite:
    """A workspace, the SDK's client of it, and a folder for the test's files."""

    def __init__(self, client: Any, workspace: testing.LocalWorkspace, folder: Path) -> None:
        self.client = client
        self.workspace = workspace
        self.folder = folder

    def submit(self, command: str, **options: Any) -> str:
        """Submit a command job; return its name."""
        from azure.ai.ml import command as make  # noqa: PLC0415 - importing it asks the workspace for the cloud

        job = make(**{"command": command, "environment": ENVIRONMENT, "experiment_name": "apart", **options})
        return str(self.client.jobs.create_or_update(job).name)

    def run(self, script: str, **options: Any) -> tuple[str, str]:
        """Run a Python script as a job to its end; return its name and its log."""
        code = self.folder / f"code{len(list(self.folder.iterdir()))}"
        code.mkdir()
        (code / "main.py").write_text(script)
        name = self.submit("python main.py", code=str(code), **options)
        status = eventually(f"the end of {name}", lambda: self.ended(name))
        log = self.log(name)
        assert status == "Completed", log
        return name, log

    def ended(self, name: str) -> str | None:
        status = str(self.client.jobs.get(name).status.value)
        return status if status in ("Completed", "Failed", "Canceled") else None

    def log(self, name: str) -> str:
        target = self.folder / "logs" / name
        self.client.jobs.download(name, download_path=target, all=True)
        return (target / "artifacts" / "user_logs" / "std_log.txt").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    with testing.local_workspace() as workspace, testing.use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - as above
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        names = (workspace.subscription, workspace.resource_group, workspace.name)
        with DefaultAzureCredential() as credential:
            yield JobSite(MLClient(credential, *names), workspace, tmp_path_factory.mktemp("jobs"))


# Prints what each attempt came to: a status, or the name of the error.
SCOPE = """
import os, json, urllib.request, urllib.error, ssl
import mlflow
from mlflow import MlflowClient

def tried(name, action):
    try:
        print(name, "->", action() or "done")
    except Exception as error:
        print(name, "->", getattr(error, "error_code", type(error).__name__), str(error)[:120].replace("\\n", " "))

origin = os.environ["MLFLOW_TRACKING_URI"].removesuffix("/mlflow")
ws = "/subscriptions/{AZUREML_ARM_SUBSCRIPTION}/resourceGroups/{AZUREML_ARM_RESOURCEGROUP}/providers/" \
     "Microsoft.MachineLearningServices/workspaces/{AZUREML_ARM_WORKSPACE_NAME}".format(**os.environ)
context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])

def get(path, token, method="GET", **headers):
    request = urllib.request.Request(origin + path, method=method, headers=headers)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.code

issued = json.loads(get("/msi/token?resource=https://ml.azure.com", None,
                        **{"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}))["access_token"]
for kind, token in (("run", os.environ["AZUREML_RUN_TOKEN"]), ("issued", issued)):
    own = json.loads(get(f"{ws}/jobs/{os.environ['AZUREML_RUN_ID']}", token))["name"]
    print(kind, "own job", own == os.environ["AZUREML_RUN_ID"])
    print(kind, "models", get(f"{ws}/models", token))
    print(kind, "other job", get(f"{ws}/jobs/another", token))
    print(kind, "keys", get(f"{ws}/datastores/workspaceblobstore/listSecrets", token, "POST"))

other = os.environ["OTHER"]
client = MlflowClient()
tried("read other", lambda: client.get_run(other))
tried("write other", lambda: client.log_metric(other, "stolen", 1.0))
tried("upload other", lambda: client.log_text(other, "x", "x.txt"))
tried("new experiment", lambda: client.create_experiment("mine"))
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.5)
    mlflow.log_text("note", "note.txt")
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("loss", 0.1)
        mlflow.log_text("deep", "deep.txt")
    print("children", [r.info.run_id for r in client.search_runs([run.info.experiment_id])].count(child.info.run_id))
"""


def test_a_jobs_token_opens_its_own_run_and_ends_with_it(site: JobSite) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds

    client = MlflowClient(site.client.workspaces.get().mlflow_tracking_uri)
    other = client.create_run(client.create_experiment("theirs")).info.run_id
    name, log = site.run(
        f"import os; print('TOKEN', os.environ['AZUREML_RUN_TOKEN'])\n{SCOPE}", environment_variables={"OTHER": other}
    )
    for kind in ("run", "issued"):
        for line in ("own job True", "models 403", "other job 403", "keys 403"):
            assert f"{kind} {line}\n" in log, log
    for attempt in ("read other", "write other", "upload other", "new experiment"):
        assert f"{attempt} -> PERMISSION_DENIED" in log, log
    assert "children 1\n" in log
    assert client.get_run(name).data.metrics == {"auc": 0.5}
    assert [file.path for file in client.list_artifacts(name)] == ["note.txt", "user_logs"]
    assert not client.get_run(other).data.metrics
    token = next(line.split()[1] for line in log.splitlines() if line.startswith("TOKEN "))
    import requests  # noqa: PLC0415 - after the environment leads to the workspace's certificate

    kept = requests.get(
        f"{site.client.workspaces.get().mlflow_tracking_uri}/api/2.0/mlflow/runs/get?run_id={name}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert (kept.status_code, kept.json()["error_code"]) == (401, "UNAUTHENTICATED")


APART = """
import os, pathlib, subprocess
root = pathlib.Path(os.environ["ROOT"])
print("VARIABLES", "A_SECRET_OF_THE_SHELL" in os.environ)
log = pathlib.Path("../../OTHER/user_logs/std_log.txt")
for path in (root / "secrets.json", root / "workspace.db", root / "server.pem", log):
    try:
        print("READ", path.name, len(path.read_bytes()))
    except OSError as error:
        print("SHUT", path.name)
print("BESIDE", [path.name for path in root.glob("jobs/*") if path.name != os.environ["AZUREML_RUN_ID"]])
pathlib.Path("outputs/kept.txt").write_text("kept")
"""


def test_a_job_sees_neither_the_workspaces_files_nor_another_job(site: JobSite) -> None:
    from amlocal.jobs.process import sandbox_warning  # noqa: PLC0415

    if said := sandbox_warning():
        pytest.skip(said)
    other = site.submit(f"echo theirs; until [ -e '{site.folder}/go' ]; do sleep 0.1; done")
    root = site.workspace.folder
    eventually("the other job's folder", (root / "jobs" / other / "work").is_dir)
    try:
        _, log = site.run(APART.replace("OTHER", other), environment_variables={"ROOT": str(root)})
    finally:
        (site.folder / "go").touch()
    assert "READ" not in log, log
    assert log.count("SHUT") == 4
    assert "VARIABLES False" in log
    assert "BESIDE []" in log, log

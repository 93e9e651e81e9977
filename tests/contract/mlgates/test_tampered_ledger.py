"""On a real local workspace, with the SDK and by REST: neither a lost rejection nor a planted file gets traffic."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from typer.testing import CliRunner, Result

from mlgates.core.errors import NotAllowed
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Silent, StepFinished
from tests.contract.amlocal.online_site import QUIET
from tests.contract.mlgates.release_site import MODEL, ReleaseSite, release_site
from tests.unit.mlgates.progress_listener import ProgressListener, when

pytestmark = [*QUIET, pytest.mark.xdist_group("tampering")]
NAME = f"{MODEL}-ledger"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseSite]:
    with release_site(tmp_path_factory.mktemp("tampering")) as site:
        yield site


@pytest.fixture(scope="module")
def served(site: ReleaseSite) -> str:
    from mlgates.release.releasing import release  # noqa: PLC0415 - brings in azure-ai-ml

    version = site.approved()
    release(site.context(), version, progress=Silent())
    return version


def mlgates(site: ReleaseSite, *words: str) -> Result:
    """Run a command in the project, on the workspace of the test."""
    from mlgates.cli.app import app  # noqa: PLC0415

    project = ("--project", str(site.settings.project.root))
    return CliRunner().invoke(app, [*words, *project], obj=lambda _: site.client)


def numbers(site: ReleaseSite) -> list[str]:
    found = [str(each.version) for each in site.client.data.list(name=NAME, list_view_type="All")]
    return sorted(found, key=int)


def delete(site: ReleaseSite, *versions: str) -> None:
    """Delete versions by REST: the SDK has no call for it."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    client = site.client
    scope = f"subscriptions/{client.subscription_id}/resourceGroups/{client.resource_group_name}"
    workspace = f"providers/Microsoft.MachineLearningServices/workspaces/{client.workspace_name}"
    origin = str(client._base_url)
    token = DefaultAzureCredential().get_token(f"{origin}/.default").token
    for version in versions:
        address = f"{origin}/{scope}/{workspace}/data/{NAME}/versions/{version}?api-version=2024-04-01"
        answer = requests.delete(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == requests.codes.ok


def delete_last(site: ReleaseSite) -> None:
    delete(site, numbers(site)[-1])


def archive_last(site: ReleaseSite) -> None:
    site.client.data.archive(NAME, numbers(site)[-1])


def delete_all(site: ReleaseSite) -> None:
    delete(site, *numbers(site))


def rewrite(site: ReleaseSite) -> None:
    """Delete the ledger and write it anew, whole, but for the rejections."""
    from mlgates.delivery.workspace_ledger import Ledger  # noqa: PLC0415

    kept = [entry for entry in site.context().ledger.entries() if entry.action is not Action.REJECTED]
    delete(site, *numbers(site))
    ledger = Ledger(site.client, MODEL)
    entries: list[Entry] = []
    for entry in kept:
        fields = {name: getattr(entry, name) for name in Draft.__dataclass_fields__}
        entries.append(ledger.repairing(entries, Draft(**fields), number=len(entries) + 1))


@pytest.mark.parametrize(("tamper", "code"), [(archive_last, 13), (delete_last, 16), (rewrite, 16), (delete_all, 16)])
def test_a_rejected_version_stays_out_of_production(
    site: ReleaseSite, served: str, tamper: Callable[[ReleaseSite], None], code: int
) -> None:
    version = site.approved()
    named = f"{MODEL}:{version}"
    assert mlgates(site, "reject", named, "--by", "Ann", "--reason", "unfair").exit_code == 0
    tamper(site)
    release = mlgates(site, "release", "--version", version)
    assert release.exit_code == code, release.stderr
    assert mlgates(site, "approve", named, "--by", "Eve", "--reason", "good").exit_code == code
    if code == 16:
        assert {mlgates(site, *words).exit_code for words in (("history",), ("ledger", "verify"), ("rollback",))} == {
            16
        }
        repaired = mlgates(site, "ledger", "repair", "--by", "Ann", "--reason", "somebody cleaned up")
        assert (repaired.exit_code, "found: " in repaired.stdout) == (0, True), repaired.stderr
    assert mlgates(site, "ledger", "verify").exit_code == 0
    again = mlgates(site, "release", "--version", version)
    assert (again.exit_code, "was rejected" in again.stderr) == (13, True), again.stderr
    assert mlgates(site, "approve", named, "--by", "Eve", "--reason", "good").exit_code == 13
    assert site.traffic() == {served: 100}


def test_the_run_of_a_model_that_nobody_registered_counts_too(site: ReleaseSite, served: str) -> None:
    """The rejection of what a job has made: nothing is left of it but the tags of the run."""
    import mlflow  # noqa: PLC0415 - takes seconds

    from mlgates.delivery.mlflow_runs import tracking_uri  # noqa: PLC0415

    tracking = mlflow.MlflowClient(tracking_uri(site.client))
    experiment = tracking.create_experiment(site.settings.training_experiment_name)
    lost = str(int(numbers(site)[-1]) + 1)
    anchors = {"ledger.head": f"{lost} {'0' * 64}", "ledger.rejected": "c0ffee"}
    run = tracking.create_run(experiment, tags=anchors).info.run_id
    tracking.create_run(experiment)
    verified = mlgates(site, "ledger", "verify")
    assert (verified.exit_code, f"model {MODEL}:job:{run} names entry {lost}" in verified.stdout) == (16, True)
    assert mlgates(site, "ledger", "repair", "--by", "Ann", "--reason", "lost").exit_code == 0
    assert mlgates(site, "ledger", "verify").exit_code == 0
    last = site.context().ledger.entries()[-1]
    assert (last.action, last.model, last.sha256) == (Action.REJECTED, f"{MODEL}:job:{run}", "c0ffee")


def test_a_ledger_that_is_archived_as_a_whole_counts(site: ReleaseSite, served: str) -> None:
    before = numbers(site)
    site.client.data.archive(NAME)
    try:
        assert mlgates(site, "history").exit_code == 0
        site.approved()
        assert len(numbers(site)) == len(before) + 1
    finally:
        site.client.data.restore(NAME)


def plant(site: ReleaseSite, version: str) -> None:
    """Put a file into the folder of a model, as whoever may write to the storage can."""
    from azure.storage.blob import ContainerClient  # noqa: PLC0415

    store = site.client.datastores.get("workspaceblobstore", include_secrets=True)
    path = str(site.client.models.get(MODEL, version).path).partition("/paths/")[2].strip("/")
    account = f"{site.client._base_url}/devstore"
    with ContainerClient(account, store.container_name, credential=store.credentials.account_key) as container:
        container.upload_blob(f"{path}/code/planted.py", b"import os")


@pytest.mark.parametrize("moment", ["before the release", "approval", "lock"])
def test_a_planted_file_gets_no_traffic(site: ReleaseSite, served: str, moment: str) -> None:
    from mlgates.release.releasing import release  # noqa: PLC0415 - brings in azure-ai-ml

    version = site.approved()
    if moment == "before the release":
        plant(site, version)

    progress = ProgressListener(when(StepFinished, moment, lambda: plant(site, version)))
    with pytest.raises(NotAllowed, match=rf"has changed since Ann approved it|has other files than {MODEL}:"):
        release(site.context(), version, progress=progress)
    assert (site.traffic(), site.batch_version()) == ({served: 100}, served)
    assert {version} & {str(each.model).rpartition("/")[2] for each in deployments(site)} == set()


def deployments(site: ReleaseSite) -> list[Any]:
    return list(site.client.online_deployments.list(site.settings.online_endpoint))

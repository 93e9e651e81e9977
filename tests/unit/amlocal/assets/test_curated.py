"""Azure's own environments: what a job may name can be got, and nothing else of the prefix exists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.amlocal.asgi import FEW, Answer, Workspace

PUBLISHED = (
    "AzureML-sklearn-1.5",
    "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
    "AzureML-acpt-pytorch-2.8-cuda12.6",
    "AzureML-ACPT-pytorch-1.13-py38-cuda11.7-gpu",
    "AzureML-pytorch-1.10-ubuntu18.04-py38-cuda11-gpu",
    "AzureML-tensorflow-2.16-cuda12",
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu",
    "AzureML-responsibleai-0.20-ubuntu20.04-py38-cpu",
    "AzureML-minimal-ubuntu18.04-py37-cpu-inference",
    "AzureML-xgboost-0.9-ubuntu18.04-py37-cpu-inference",
    "AzureML-AutoML",
    "AzureML-ai-ml-automl",
    "AzureML-model-management",
    "AzureML-python-sdk-v2",
    "AzureML-Train-Finetune-Vision-MultiClass-Samples",
    "AzureML-Minimal",
    "AzureML-Tutorial",
)
UNKNOWN = ("AzureML-sklern-1.5", "AzureML-", "AzureML-mine", "AzureML-sklearnx")


def submit(workspace: Workspace, environment: str, name: str = "job") -> Answer:
    job = {"jobType": "Command", "command": "true", "environmentId": environment}
    return workspace.put(f"jobs/{name}", job)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_one_is_got_by_version_and_by_its_latest(workspace: Workspace, name: str) -> None:
    latest = workspace.get(f"environments/{name}").json["properties"]["latestVersion"]
    for version in (latest, "33"):
        found = workspace.get(f"environments/{name}/versions/{version}").json
        assert found["id"] == workspace.arm_of(f"environments/{name}/versions/{version}")
        assert (found["name"], found["properties"]["environmentType"]) == (version, "Curated")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_job_may_name_it_in_every_form(workspace: Workspace, name: str) -> None:
    forms = (
        f"azureml:{name}:33",
        f"azureml:{name}@latest",
        workspace.arm_of(f"environments/{name}/versions/33"),
        f"azureml:{workspace.arm_of(f'environments/{name}/versions/33')}",
    )
    assert [submit(workspace, form, f"job{n}").status for n, form in enumerate(forms)] == [201] * 4


@pytest.mark.parametrize("name", UNKNOWN)
def test_another_name_of_the_prefix_does_not_exist_for_anyone(workspace: Workspace, name: str) -> None:
    assert workspace.get(f"environments/{name}/versions/1").status == 404
    assert workspace.get(f"environments/{name}").status == 404
    for form in (f"azureml:{name}:1", f"azureml:{name}@latest"):
        answer = submit(workspace, form)
        assert (answer.status, name in answer.error["message"]) == (404, True)


@FEW
@given(rest=st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", max_size=8), job=st.uuids())
def test_what_a_job_may_name_can_be_got(shared_workspace: Workspace, rest: str, job: object) -> None:
    name = f"AzureML-skl{rest}"
    got = shared_workspace.get(f"environments/{name}/versions/1").status == 200
    assert (submit(shared_workspace, f"azureml:{name}:1", f"{job}").status == 201) is got


@pytest.mark.parametrize("name", ["AzureML-sklearn-1.5", "azureml-mine"])
def test_nobody_writes_under_azures_prefix(workspace: Workspace, name: str) -> None:
    for path in (f"environments/{name}/versions/1", f"environments/{name}"):
        answer = workspace.put(path, {"image": "python", "isArchived": True})
        assert (answer.status, "Azure's own" in answer.error["message"]) == (400, True)


def test_they_are_not_among_the_workspaces_own(workspace: Workspace) -> None:
    assert workspace.get("environments").json["value"] == []

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import NotFound
from amlocal.jobs.submission import accept, ignored_settings
from tests.unit.amlocal.jobs.workspace import ENVIRONMENT, JobWorkspace, accepted, refusal, submission

ODD: list[Any] = [
    None,
    True,
    7,
    0.5,
    "",
    "text",
    [],
    ["x"],
    {},
    {"x": "y"},
    {"x": {}},
]  # a value of every kind that JSON has
KEYS = [
    "command", "environmentId", "computeId", "codeId", "displayName", "experimentName", "description", "tags",
    "properties", "inputs", "outputs", "resources", "limits", "environmentVariables", "distribution", "identity",
    "queueSettings", "isArchived", "parentJobName", "componentId", "notificationSetting",
]  # fmt: skip
SAID: dict[str, tuple[dict[str, Any], str]] = {
    "docker_args": ({"resources": {"dockerArgs": "--memory 4g"}}, "docker_args --memory 4g: not set"),
    "a list of docker_args": ({"resources": {"dockerArgsList": ["--memory", "4g"]}}, "docker_args ['--memory'"),
    "shm_size": ({"resources": {"shmSize": "8g"}}, "shm_size 8g: not set"),
    "instance_type": ({"resources": {"instanceType": "Standard_NC6"}}, "instance_type Standard_NC6"),
    "locations": ({"resources": {"locations": ["westeurope"]}}, "locations ['westeurope']"),
    "max_instance_count": ({"resources": {"maxInstanceCount": 4}}, "max_instance_count 4"),
    "resources.properties": ({"resources": {"properties": {"AISuperComputer": {}}}}, "resources.properties"),
    "job_tier": ({"queueSettings": {"jobTier": "Spot"}}, "job_tier Spot"),
    "priority": ({"queueSettings": {"priority": 1}}, "priority 1"),
    "managed identity": ({"identity": {"identityType": "Managed"}}, "identity managed_identity"),
    "mail": ({"notificationSetting": {"emails": ["a@b"], "emailOn": ["JobFailed"]}}, "nobody is told"),
    "autologger": ({"autologgerSettings": {"mlflowAutologger": "Enabled"}}, "mlflow.autolog()"),
    "secrets": ({"secretsConfiguration": {"s": {"uri": "x"}}}, "none of its secrets"),
    "component": ({"componentId": "c"}, "component c"),
    "service": ({"services": {"code": {"jobServiceType": "VSCode"}}}, "service code (VSCode): not started"),
    "unknown": ({"resources": {"colour": "red"}}, "resources.colour: not a setting"),
}


def test_a_smallest_job_is_filled_in_as_azure_does(workspace: JobWorkspace) -> None:
    kept = accepted(workspace.context)
    assert kept | {"services": None} == {
        "jobType": "Command",
        "command": "true",
        "environmentId": ENVIRONMENT,
        "displayName": "job",
        "experimentName": "Default",
        "tags": {},
        "properties": {"_azureml.ComputeTargetType": "amlctrain"},
        "services": None,
        "isArchived": False,
        "resources": {
            "instanceCount": 1, "maxInstanceCount": None, "instanceType": None,
            "locations": None, "properties": None, "shmSize": "2g", "dockerArgs": None,
        },
        "inputs": {},
        "outputs": {},
        "limits": None,
        "environmentVariables": {},
        "parameters": {},
        "queueSettings": {"jobTier": "Standard", "priority": None},
        **dict.fromkeys([
            "description", "componentId", "parentJobName", "codeId", "computeId", "identity", "distribution",
            "autologgerSettings", "notificationSetting", "secretsConfiguration",
        ]),
    }  # fmt: skip


def test_the_services_lead_to_the_run_and_to_mlflow(workspace: JobWorkspace) -> None:
    services = accepted(workspace.context, "bright_cow")["services"]
    assert services["Studio"]["endpoint"] == (
        "https://127.0.0.1:8443/runs/bright_cow?wsid=/subscriptions/sub/resourcegroups/group/workspaces/ws"
    )
    assert services["Tracking"]["endpoint"] == "https://127.0.0.1:8443/mlflow?"


def test_a_job_on_a_compute_is_in_no_serverless_queue(workspace: JobWorkspace) -> None:
    assert accepted(workspace.context, computeId="azureml:cpu-cluster")["queueSettings"] is None


def test_a_job_with_code_has_a_snapshot_id(workspace: JobWorkspace) -> None:
    assert "ContentSnapshotId" in accepted(workspace.context, codeId="some-code")["properties"]


def test_inputs_and_outputs_get_azures_modes(workspace: JobWorkspace) -> None:
    kept = accepted(
        workspace.context,
        inputs={
            "data": {"jobInputType": "uri_file", "uri": "azureml:d:1"},
            "rate": {"jobInputType": "literal", "value": 0.1},
        },
        outputs={"model": {"jobOutputType": None}},
    )
    assert kept["inputs"] == {
        "data": {"description": None, "uri": "azureml:d:1", "mode": "ReadOnlyMount", "jobInputType": "uri_file"},
        "rate": {"description": None, "value": "0.1", "jobInputType": "literal"},
    }
    assert kept["outputs"] == {
        "model": {
            "description": None, "uri": None, "assetName": None, "assetVersion": None, "mode": "ReadWriteMount",
            "jobOutputType": "uri_folder", "autoDeleteSetting": None,
        }
    }  # fmt: skip


def test_an_outputs_destination_may_hold_azures_placeholders(workspace: JobWorkspace) -> None:
    uri = "azureml://datastores/${{default_datastore}}/paths/kept/${{name}}/${{output_name}}"
    kept = accepted(workspace.context, "bright_cow", outputs={"y": {"uri": uri}})
    assert kept["outputs"]["y"]["uri"] == "azureml://datastores/workspaceblobstore/paths/kept/bright_cow/y"


def test_every_reference_is_looked_up(workspace: JobWorkspace) -> None:
    seen: list[tuple[str, str]] = []
    sent = submission(
        codeId="the code",
        inputs={"x": {"jobInputType": "uri_file", "uri": "azureml:x:1"}},
        outputs={"y": {"uri": "azureml://datastores/d/paths/p"}},
    )
    accept(
        workspace.context,
        "job",
        sent,
        check_environment=lambda reference: seen.append(("environment", reference)),
        check_input=lambda reference: seen.append(("input", reference)),
        check_code=lambda reference: seen.append(("code", reference)),
    )
    assert sorted(seen) == [
        ("code", "the code"),
        ("environment", ENVIRONMENT),
        ("input", "azureml://datastores/d/paths/p"),
        ("input", "azureml:x:1"),
    ]


def test_what_a_look_up_raises_comes_through(workspace: JobWorkspace) -> None:
    def missing(_: str) -> None:
        raise NotFound("There is no such environment.")

    with pytest.raises(NotFound, match="no such environment"):
        accept(
            workspace.context, "job", submission(), check_environment=missing, check_input=missing, check_code=missing
        )


BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "another type of job": ({"jobType": "Sweep"}, 501, "Sweep"),
    "no type": ({"jobType": None}, 501, "command job"),
    "no command": ({"command": None}, 400, "no command"),
    "a blank command": ({"command": " \n"}, 400, "no command"),
    "a command that is no text": ({"command": ["true"]}, 400, "'command'"),
    "a command with a zero byte": ({"command": "echo \0"}, 400, "zero byte"),
    "a command that names no input": ({"command": "${{inputs.x}}"}, 400, "inputs are: none"),
    "no environment": ({"environmentId": ""}, 400, "no environment"),
    "two instances": ({"resources": {"instanceCount": 2}}, 501, "one machine"),
    "no instance": ({"resources": {"instanceCount": "2"}}, 400, "instanceCount"),
    "Ray": ({"distribution": {"distributionType": "Ray"}}, 501, "Ray"),
    "too many": ({"distribution": {"distributionType": "Mpi", "processCountPerInstance": 65}}, 400, "65 processes"),
    "a word": ({"distribution": {"distributionType": "Mpi", "processCountPerInstance": "2"}}, 400, "processCount"),
    "a limit that is no duration": ({"limits": {"timeout": "1 hour"}}, 400, "ISO 8601"),
    "a limit of nothing": ({"limits": {"timeout": "PT0S"}}, 400, "no time"),
    "a limit that is a number": ({"limits": {"timeout": 60}}, 400, "'timeout'"),
    "a variable without a name": ({"environmentVariables": {"": "x"}}, 400, "''"),
    "a variable named with =": ({"environmentVariables": {"A=B": "x"}}, 400, "'A=B'"),
    "a variable with a zero byte": ({"environmentVariables": {"A": "\0"}}, 400, "'A'"),
    "an input of unknown type": ({"inputs": {"x": {"jobInputType": "table"}}}, 400, "'table'"),
    "an input without a type": ({"inputs": {"x": {}}}, 400, "type of input x"),
    "an input without a uri": ({"inputs": {"x": {"jobInputType": "uri_file"}}}, 400, "input x has no uri"),
    "an input in an unknown mode": (
        {"inputs": {"x": {"jobInputType": "uri_file", "uri": "azureml:x:1", "mode": "Teleport"}}}, 400, "Teleport"
    ),
    "a literal without a value": ({"inputs": {"x": {"jobInputType": "literal"}}}, 400, "without a value"),
    "a literal that is a list": ({"inputs": {"x": {"jobInputType": "literal", "value": [1]}}}, 400, "'value'"),
    "a literal with a zero byte": ({"inputs": {"x": {"jobInputType": "literal", "value": "\0"}}}, 400, "zero byte"),
    "an input named as a path": ({"inputs": {"../x": {"jobInputType": "literal", "value": "1"}}}, 400, "'../x'"),
    "an input named ..": ({"inputs": {"..": {"jobInputType": "literal", "value": "1"}}}, 400, "'..'"),
    "an output named as a path": ({"outputs": {"a/b": {}}}, 400, "'a/b'"),
    "an output named default": ({"outputs": {"default": {}}}, 400, "'default'"),
    "an output of unknown type": ({"outputs": {"y": {"jobOutputType": "table"}}}, 400, "'table'"),
    "an output in an unknown mode": ({"outputs": {"y": {"mode": "Download"}}}, 400, "Download"),
    "an asset name that no asset has": ({"outputs": {"y": {"assetName": "a b"}}}, 400, "'a b'"),
    "an asset version that no asset has": ({"outputs": {"y": {"assetVersion": "1/2"}}}, 400, "'1/2'"),
    "an output to elsewhere": ({"outputs": {"y": {"uri": "https://example.org/x"}}}, 400, "datastores/NAME"),
    "an output to all of a datastore": ({"outputs": {"y": {"uri": "azureml://datastores/d/paths/"}}}, 400, "PATH"),
    "an output above its datastore": (
        {"outputs": {"y": {"uri": "azureml://datastores/d/paths/a/../../b"}}}, 400, "'..'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_submission_is_refused_in_one_clear_line(
    workspace: JobWorkspace, changes: dict[str, Any], status: int, message: str
) -> None:
    refused = refusal(workspace.context, **changes)
    assert refused is not None
    assert refused.status == status
    assert message in refused.message
    assert "\n" not in refused.message


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD), max_size=4))
def test_no_kind_of_value_does_worse_than_be_refused(shared_workspace: JobWorkspace, changes: dict[str, Any]) -> None:
    refused = refusal(shared_workspace.context, **changes)
    assert refused is None or refused.status in (400, 501)


SPECS = st.dictionaries(
    st.sampled_from(["jobInputType", "jobOutputType", "uri", "mode", "value", "assetName", "assetVersion"]),
    st.sampled_from([*ODD, "uri_file", "literal", "azureml:x:1", "azureml://datastores/d/paths/p"]),
)


@given(st.sampled_from(["inputs", "outputs"]), st.dictionaries(st.text(max_size=5), SPECS, max_size=3))
def test_no_input_or_output_does_worse_than_be_refused(
    shared_workspace: JobWorkspace, key: str, specs: dict[str, Any]
) -> None:
    refused = refusal(shared_workspace.context, **{key: specs})
    assert refused is None or refused.status == 400


@given(st.integers(0, 3), st.integers(0, 3))
def test_one_instance_is_what_runs_here_with_any_number_of_processes(
    shared_workspace: JobWorkspace, instances: int, processes: int
) -> None:
    distribution = {"distributionType": "PyTorch", "processCountPerInstance": processes}
    refused = refusal(shared_workspace.context, resources={"instanceCount": instances}, distribution=distribution)
    assert (None if refused is None else refused.status) == (501 if instances > 1 else None)


@pytest.mark.parametrize("case", SAID)
def test_what_does_nothing_here_is_one_line(workspace: JobWorkspace, case: str) -> None:
    changes, line = SAID[case]
    lines = ignored_settings(accepted(workspace.context, **changes))
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"resources": {"instanceCount": 1, "shmSize": "2g"}},
        {"queueSettings": {"jobTier": "Standard"}},
        {"identity": {"identityType": "AMLToken"}},
        {"identity": {"identityType": "UserIdentity"}},
        {"limits": {"jobLimitsType": "Command", "timeout": "PT1H"}},
        {"distribution": {"distributionType": "PyTorch", "processCountPerInstance": 2}},
    ],
)
def test_what_is_served_or_everyones_default_is_not_spoken_of(workspace: JobWorkspace, changes: dict[str, Any]) -> None:
    assert ignored_settings(accepted(workspace.context, computeId=None, **changes)) == []


def test_a_service_is_shown_with_the_reason_why_it_does_not_run(workspace: JobWorkspace) -> None:
    shown = accepted(workspace.context, services={"code": {"jobServiceType": "VSCode"}})["services"]
    assert (shown["code"]["status"], "not started" in shown["code"]["errorMessage"]) == ("Failed", True)
    assert {"Tracking", "Studio"} < shown.keys()

"""Both CI systems run what docs/ci.md says: stages, order, gates, triggers; and a gate that is taken out is noticed."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.contract.mlgates.ci_graph import (
    BY_HAND,
    ROOT,
    SYSTEMS,
    Document,
    Pipeline,
    Stage,
    ado_steps,
    documented,
)

DOCUMENTED = documented((ROOT / "docs" / "ci.md").read_text("utf-8"))
TEMPLATE = ROOT / ".ado" / "templates" / "nox.yml"

Cut = Callable[[Document, Stage], object]


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_pipelines_are_the_documented_ones(system: str) -> None:
    assert SYSTEMS[system].documents().keys() == DOCUMENTED.keys() == {"qa", "dev", "prod"}


@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_pipeline_is_as_documented(system: str, name: str) -> None:
    assert SYSTEMS[system].read(SYSTEMS[system].documents()[name]) == DOCUMENTED[name]


def test_before_registration_and_before_release_somebody_approves() -> None:
    approvals = {stage.name: stage.approval for stage in DOCUMENTED["prod"].stages if stage.approval}
    assert approvals == {"register": "prod", "release": "blue"}


def test_nothing_of_prod_runs_before_or_beside_what_it_builds_on() -> None:
    stages = DOCUMENTED["prod"].stages
    assert [stage.after for stage in stages] == [frozenset(), *(frozenset({stage.name}) for stage in stages[:-1])]


# Azure DevOps puts the sessions of a stage into a template.


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_azure_devops_takes_its_variables_from_the_files_of_mlops(name: str) -> None:
    variables = SYSTEMS["Azure DevOps"].documents()[name]["variables"]
    files = [(ROOT / ".ado" / one["template"]).resolve() for one in variables if "template" in one]
    assert files == [ROOT / "mlops" / "config-mlops.yml", ROOT / "mlops" / f"config-infra-{name}.yml"]


def template_branches() -> list[Document]:
    """The step that runs a session, without a sign-in and with one."""
    steps = yaml.safe_load(TEMPLATE.read_text("utf-8"))["steps"]
    (loop,) = (step for step in steps if "${{ each session in parameters.sessions }}" in step)
    (branches,) = loop.values()
    return [step for branch in branches for steps in branch.values() for step in steps]


def test_the_template_runs_each_session_with_nox() -> None:
    calls = [step.get("script") or step["inputs"]["inlineScript"] for step in template_branches()]
    assert calls == ["python -m nox ${{ session }}"] * 2


def test_the_template_lets_no_failure_pass() -> None:
    assert not {"condition", "continueOnError"} & {key for step in template_branches() for key in step}


# What is taken out of a copy is noticed.


def ado_stage(document: Document, stage: Stage) -> Document:
    return next(one for one in document["stages"] if one["stage"] == stage.name)


def ado_step(document: Document, stage: Stage, template: str) -> Document:
    return next(step for step in ado_steps(ado_stage(document, stage)["jobs"][0]) if step.get("template") == template)


def drop_ado_build(document: Document, stage: Stage) -> None:
    steps = ado_steps(ado_stage(document, stage)["jobs"][0])
    steps.remove(ado_step(document, stage, "templates/build.yml"))


def drop_github_steps(document: Document, stage: Stage, word: str) -> None:
    job = document["jobs"][stage.name]
    job["steps"] = [step for step in job["steps"] if word not in step.get("run", step.get("uses", ""))]


CUTS: dict[str, dict[str, Cut]] = {
    "Azure DevOps": {
        "stage": lambda document, stage: document["stages"].remove(ado_stage(document, stage)),
        "dependency": lambda document, stage: ado_stage(document, stage).update(dependsOn=[]),
        "approval": lambda document, stage: ado_stage(document, stage)["jobs"][0].pop("environment"),
        "build": drop_ado_build,
        "strictness": lambda document, stage: ado_stage(document, stage).update(condition="always()"),
    },
    "GitHub": {
        "stage": lambda document, stage: document["jobs"].pop(stage.name),
        "dependency": lambda document, stage: document["jobs"][stage.name].pop("needs"),
        "approval": lambda document, stage: document["jobs"][stage.name].pop("environment"),
        "build": lambda document, stage: drop_github_steps(document, stage, "download-artifact"),
        "strictness": lambda document, stage: document["jobs"][stage.name].update({"if": "always()"}),
    },
}


def applies(cut: str, stage: Stage) -> bool:
    return bool({"dependency": stage.after, "approval": stage.approval, "build": stage.takes}.get(cut, True))


def cuts() -> Iterator[Any]:
    for system, kinds in CUTS.items():
        for name, pipeline in DOCUMENTED.items():
            for stage in pipeline.stages:
                for kind, cut in kinds.items():
                    if applies(kind, stage):
                        yield pytest.param(system, name, stage, cut, id=f"{system}-{name}-{stage.name}-{kind}")


def read_copy(system: str, name: str, change: Callable[[Document], object]) -> Pipeline:
    document = copy.deepcopy(SYSTEMS[system].documents()[name])
    change(document)
    return SYSTEMS[system].read(document)


@pytest.mark.parametrize(("system", "name", "stage", "cut"), list(cuts()))
def test_what_is_taken_out_of_a_stage_is_noticed(system: str, name: str, stage: Stage, cut: Cut) -> None:
    assert read_copy(system, name, lambda document: cut(document, stage)) != DOCUMENTED[name]


def commands() -> Iterator[Any]:
    for system in SYSTEMS:
        for name, pipeline in DOCUMENTED.items():
            for stage in pipeline.stages:
                for number, command in enumerate(stage.commands):
                    yield pytest.param(system, name, stage, number, id=f"{system}-{name}-{command}")


@pytest.mark.parametrize(("system", "name", "stage", "number"), list(commands()))
def test_a_command_that_is_taken_out_is_noticed(system: str, name: str, stage: Stage, number: int) -> None:
    def cut(document: Document) -> None:
        if system == "GitHub":
            runs = [step for step in document["jobs"][stage.name]["steps"] if "run" in step]
            document["jobs"][stage.name]["steps"].remove(runs[number])
        else:
            del ado_step(document, stage, "templates/nox.yml")["parameters"]["sessions"][number]

    assert read_copy(system, name, cut) != DOCUMENTED[name]


def starts() -> Iterator[Any]:
    keys = {
        "Azure DevOps": {"push": "trigger", "pull": "pr", "schedule": "schedules"},
        "GitHub": {"push": "push", "pull": "pull_request", "schedule": "schedule", "by": "workflow_dispatch"},
    }
    for system, known in keys.items():
        for name, pipeline in DOCUMENTED.items():
            for start in sorted(pipeline.starts):
                if system == "GitHub" or start != BY_HAND:
                    yield pytest.param(system, name, known[start.split()[0]], id=f"{system}-{name}-{start}")


@pytest.mark.parametrize(("system", "name", "key"), list(starts()))
def test_a_trigger_that_is_taken_out_is_noticed(system: str, name: str, key: str) -> None:
    def cut(document: Document) -> None:
        (document if system == "Azure DevOps" else document[True]).pop(key)

    assert read_copy(system, name, cut) != DOCUMENTED[name]


@pytest.mark.parametrize(
    ("system", "cut"),
    [
        ("Azure DevOps", lambda document: document.pop("resources")),
        ("Azure DevOps", lambda document: document["resources"]["pipelines"][0].pop("branch")),
        ("GitHub", lambda document: document["jobs"].pop("find-build")),
    ],
)
def test_a_build_that_comes_from_elsewhere_is_noticed(system: str, cut: Callable[[Document], object]) -> None:
    assert read_copy(system, "prod", cut) != DOCUMENTED["prod"]


def test_a_build_of_a_run_that_failed_is_noticed() -> None:
    def cut(document: Document) -> None:
        for step in document["jobs"]["find-build"]["steps"]:
            step["run"] = step["run"].replace("--status success", "")

    assert read_copy("GitHub", "prod", cut) != DOCUMENTED["prod"]


# No secret is in a file, and none is asked for: both systems sign in by federated credentials.

_HANDED_OUT = {"${{ github.token }}", "$(System.AccessToken)", "write"}  # by the system itself, for one run
_SECRET = re.compile(
    r"(?P<store>\bsecrets\.\w+)"
    r"|(?P<name>[\w-]*(?:password|secret|token|credential|api[_-]?key|connection[_-]?string|sas)[\w-]*)"
    r"""["']?(?:\s+string)?\s*[:=]\s*["']?(?P<value>[^"'\s#][^"'#\n]*)""",
    re.IGNORECASE,
)


def secrets(text: str) -> list[str]:
    return [found[0] for found in _SECRET.finditer(text) if (found["value"] or "").strip() not in _HANDED_OUT]


@pytest.mark.parametrize(
    "file",
    [
        file
        for folder in (".ado", ".github", "infra")
        for file in sorted((ROOT / folder).rglob("*.*"))
        if file.suffix in {".yml", ".bicep", ".bicepparam"}
    ],
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_no_file_holds_a_secret(file: Any) -> None:
    assert secrets(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "client-secret: abc",
        "AZURE_CREDENTIALS: ${{ secrets.AZURE_CREDENTIALS }}",
        "PASSWORD=hunter2",
        'param adminPassword string = "x"',
        "  apiKey: 'x'",
        "GITHUB_TOKEN: ghp_x",
    ],
)
def test_a_secret_is_noticed(line: str) -> None:
    assert secrets(line)

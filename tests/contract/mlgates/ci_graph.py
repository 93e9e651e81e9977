"""The pipelines of CI as one small graph, whoever tells it: Azure DevOps' files, GitHub's, or docs/ci.md."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
BY_HAND = "by hand"
# GitHub binds federated credentials to environments; these two are there for that alone and want no approval.
_CREDENTIALS_ONLY = {"dev", "prod-training"}
_FIND_BUILD = "find-build"

Document = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline: a job, on GitHub."""

    name: str
    after: frozenset[str] = frozenset()
    approval: str = ""
    """The environment that must be approved before the stage runs."""
    commands: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()
    publishes: frozenset[str] = frozenset()
    softened: tuple[str, ...] = ()
    """Whatever makes a stage or a command run after a failure, or go on after its own."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline."""

    starts: frozenset[str]
    build_of: str
    """The pipeline that its build comes from, and the branch of that; empty for none."""
    stages: tuple[Stage, ...]


Graph = Mapping[str, Pipeline]


@dataclass(frozen=True, slots=True)
class System:
    """A CI system: where its files are, and how they are read."""

    pattern: str
    read: Callable[[Document], Pipeline]

    def documents(self) -> dict[str, Document]:
        """Return the parsed files by the pipeline that they define."""
        return {name_of(file.name): yaml.safe_load(file.read_text("utf-8")) for file in sorted(ROOT.glob(self.pattern))}


def name_of(file: str) -> str:
    """Return the pipeline that a file of the project defines: `mlops-deploy-dev-ci.yml` is dev."""
    found = re.match(r"mlops-(?:deploy-)?(qa|dev|prod)-", file)
    return found[1] if found else file


# Azure DevOps


def read_ado(document: Document) -> Pipeline:
    sources = [
        f"{name_of(one['source'])} on {one.get('branch')}" for one in document.get("resources", {}).get("pipelines", [])
    ]
    return Pipeline(frozenset(_ado_starts(document)), ", ".join(sources), tuple(_ado_stages(document)))


def _ado_starts(document: Document) -> Iterator[str]:
    yield BY_HAND  # every pipeline of Azure DevOps can be
    for key, said in (("trigger", "push"), ("pr", "pull request")):
        trigger = document.get(key)
        if isinstance(trigger, dict):
            yield from (f"{said} to {branch}" for branch in trigger["branches"]["include"])
        elif trigger != "none":
            yield f"{said} to any branch"  # what Azure DevOps takes it for when nothing is said
    yield from (f"schedule {one['cron']}" for one in document.get("schedules", []))


def _ado_stages(document: Document) -> Iterator[Stage]:
    previous: list[str] = []
    for stage in document["stages"]:
        after = stage.get("dependsOn", previous)
        previous = [stage["stage"]]
        jobs = stage["jobs"]
        steps = [step for job in jobs for step in ado_steps(job)]
        yield Stage(
            name=stage["stage"],
            after=frozenset([after] if isinstance(after, str) else after),
            approval=", ".join(job["environment"] for job in jobs if "environment" in job),
            commands=tuple(command for step in steps for command in _ado_commands(step)),
            takes=frozenset("build" for step in steps if step.get("template") == "templates/build.yml"),
            publishes=frozenset(name for step in steps for name in _ado_publishes(step)),
            softened=tuple(_softened([stage, *jobs, *steps], "condition", "continueOnError")),
        )


def ado_steps(job: Document) -> list[Document]:
    """Return the steps of a job, or of a deployment."""
    plain: list[Document] = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    return plain


def _ado_commands(step: Document) -> Iterator[str]:
    if step.get("template") == "templates/nox.yml":
        yield from (f"nox {session}" for session in step["parameters"]["sessions"])
    yield from (str(step[key]) for key in ("script", "bash") if key in step)


def _ado_publishes(step: Document) -> Iterator[str]:
    if step.get("template") == "templates/nox.yml":
        yield f"reports-{step['parameters']['name']}"
    if str(step.get("task", "")).startswith("PublishPipelineArtifact@"):
        yield step["inputs"]["artifact"]


# GitHub


def read_github(document: Document) -> Pipeline:
    jobs = dict(document["jobs"])
    finds = jobs.pop(_FIND_BUILD, None)
    stages = tuple(_github_stage(name, job) for name, job in jobs.items())
    return Pipeline(frozenset(_github_starts(document)), _github_build(finds) if finds else "", stages)


def _github_starts(document: Document) -> Iterator[str]:
    events = document[True]  # YAML 1.1 takes the key `on` for a truth value
    for key, said in (("push", "push"), ("pull_request", "pull request")):
        if key in events:
            yield from (f"{said} to {branch}" for branch in (events[key] or {}).get("branches", ["any branch"]))
    if "workflow_dispatch" in events:
        yield BY_HAND
    yield from (f"schedule {one['cron']}" for one in events.get("schedule", []))


def _github_build(job: Document) -> str:
    asked = " ".join(step.get("run", "") for step in job["steps"])
    workflow, branch = re.search(r"--workflow (\S+)", asked), re.search(r"--branch (\S+)", asked)
    passed = "--status success" in asked
    return f"{name_of(workflow[1])} on {branch[1]}" if workflow and branch and passed else asked


def _github_stage(name: str, job: Document) -> Stage:
    needs, steps = job.get("needs", []), job["steps"]
    environment = job.get("environment", "")
    work = [step for step in steps if not _uses(step, "upload-artifact")]
    return Stage(
        name=name,
        after=frozenset([needs] if isinstance(needs, str) else needs) - {_FIND_BUILD},
        approval="" if environment in _CREDENTIALS_ONLY else environment,
        commands=tuple(step["run"].removeprefix("python -m ") for step in steps if "run" in step),
        takes=frozenset(step["with"]["name"] for step in steps if _uses(step, "download-artifact")),
        publishes=frozenset(step["with"]["name"] for step in steps if _uses(step, "upload-artifact")),
        softened=tuple(_softened([job, *work], "if", "continue-on-error")),
    )


def _uses(step: Document, action: str) -> bool:
    return str(step.get("uses", "")).startswith(f"actions/{action}@")


def _softened(parts: list[Document], *keys: str) -> Iterator[str]:
    return (f"{key}: {part[key]}" for part in parts for key in keys if key in part)


SYSTEMS = {
    "Azure DevOps": System(".ado/*.yml", read_ado),
    "GitHub": System(".github/workflows/mlops-*.yml", read_github),
}

# docs/ci.md


def documented(text: str) -> Graph:
    """Return the graph that the two tables of docs/ci.md tell."""
    stages: dict[str, list[Stage]] = {}
    for row in _table(text, "| pipeline | stage |"):
        stage = Stage(
            name=row["stage"],
            after=_names(row["after"]),
            approval=row["approval"].strip("`"),
            commands=tuple(re.findall(r"`([^`]+)`", row["runs"])),
            takes=_names(row["takes"]),
            publishes=_names(row["publishes"]),
        )
        stages.setdefault(row["pipeline"], []).append(stage)
    return {
        row["pipeline"]: Pipeline(_names(row["starts"]), row["build of"], tuple(stages[row["pipeline"]]))
        for row in _table(text, "| pipeline | starts |")
    }


def _names(cell: str) -> frozenset[str]:
    return frozenset(part.strip().replace("`", "") for part in cell.split(",") if part.strip())


def _table(text: str, head: str) -> Iterator[dict[str, str]]:
    lines = iter(text[text.index(head) :].splitlines())
    columns = _cells(next(lines))
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(columns, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]

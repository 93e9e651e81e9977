from pathlib import Path
from typing import Any

import pytest
import yaml

from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import ConfigurationError
from mlgates.release.release_file import ReleaseConfig, read_release

ROOT = Path(__file__).resolve().parents[4]


def declared(project: Project, content: Any) -> ReleaseConfig:
    project.release_file.write_text(yaml.safe_dump(content))
    return read_release(project)


def test_the_projects_own_file_is_read() -> None:
    assert read_release(Project(ROOT)).canary.steps[-1] == 100


def test_an_empty_file_declares_the_defaults(project: Project) -> None:
    assert declared(project, None) == ReleaseConfig()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"canary": {"step": [100]}}, r"release.yml.canary: unknown key 'step'. Did you mean 'steps'\?"),
        ({"canary": {"steps": [10, 50]}}, r"canary.steps: the steps rise, and end at 100"),
        ({"canary": {"steps": [50, 10, 100]}}, r"canary.steps: the steps rise, and end at 100"),
        ({"canary": {"steps": []}}, r"canary.steps: the steps rise, and end at 100"),
        ({"canary": {"steps": [0, 100]}}, r"canary.steps.0: .*greater than or equal to 1, not 0"),
        ({"canary": {"steps": [10, 200]}}, r"canary.steps.1: .*less than or equal to 100, not 200"),
        ({"canary": {"mirror": 60}}, r"canary.mirror: .*less than or equal to 50, not 60"),
        ({"limits": {"max_error_rate": "low"}}, r"limits.max_error_rate: .*valid number.*, not 'low'"),
        ({"limits": {"max_error_rate": 2.0}}, r"limits.max_error_rate: .*less than or equal to 1, not 2"),
        ({"limits": {"max_latency": 1}}, r"release.yml.limits: unknown key 'max_latency'"),
        ({"keep": 3}, r"release.yml: unknown key 'keep'"),
        (["canary"], r"mlops/release.yml: .*valid dictionary"),
    ],
)
def test_a_mistake_is_told_with_its_place(project: Project, content: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        declared(project, content)


def test_a_project_without_the_file_is_told_what_it_is_for(project: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"mlops/release.yml is not there: .*docs/release.md"):
        read_release(project)


def test_how_long_a_step_is_watched_depends_on_what_stands_behind_the_environment(
    project: Project, settings: Settings
) -> None:
    release = declared(project, {"canary": {"seconds": {"azure": 60, "local": 1}}})
    (project.mlops / "config-infra-azure.yml").write_text(
        yaml.safe_dump(
            {
                "variables": {
                    "AZURE_SUBSCRIPTION_ID": "12345678-1234-1234-1234-1234567890ab",
                    "RESOURCE_GROUP_NAME": "rg",
                    "AML_WORKSPACE_NAME": "mlw",
                }
            }
        )
    )
    azure = load_settings(project, "azure", environ={})
    assert (release.seconds(settings), release.seconds(azure)) == (1, 60)

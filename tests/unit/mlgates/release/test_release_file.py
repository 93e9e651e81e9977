import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import ConfigurationError
from mlgates.release.release_file import CanaryLimits, ReleaseConfig, read_release

ROOT = Path(__file__).resolve().parents[4]


def declared(project: Project, content: Any) -> ReleaseConfig:
    project.release_file.write_text(yaml.safe_dump(content))
    return read_release(project)


def test_the_projects_own_file_is_read() -> None:
    assert read_release(Project(ROOT)).canary.steps[-1] == 100


def test_an_empty_file_declares_the_defaults(project: Project) -> None:
    assert declared(project, None) == ReleaseConfig()


@pytest.mark.parametrize(
    ("content", "message"),
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
def test_a_mistake_is_reported_with_its_place(project: Project, content: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        declared(project, content)


BOUNDS: list[tuple[str, float | None, float | None]] = [
    ("canary.mirror", 0, 50),
    ("canary.seconds.azure", 0.0, 86_400.0),
    ("canary.seconds.local", 0.0, 86_400.0),
    ("canary.extra_seconds.azure", 0.0, 86_400.0),
    ("canary.extra_seconds.local", 0.0, 86_400.0),
    ("limits.max_error_rate", 0.0, 1.0),
    ("limits.max_difference", 0.0, 1.0),
    ("limits.tolerance", 0.0, None),
    ("limits.requests", 1, None),
    ("keep_old_for_hours", 0.0, None),
]
"""A key, and the least and the most that it may be."""


def nested(key: str, value: object) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: nested(rest, value) if rest else value}


def beyond(bound: float, direction: float) -> float:
    return bound + int(direction) if isinstance(bound, int) else math.nextafter(bound, bound + direction)


@pytest.mark.parametrize(("key", "least", "most"), BOUNDS, ids=[key for key, *_ in BOUNDS])
def test_a_number_is_taken_up_to_its_bounds_and_not_beyond(key: str, least: float | None, most: float | None) -> None:
    for bound, direction in ((least, -1.0), (most, 1.0)):
        if bound is not None:
            ReleaseConfig.model_validate(nested(key, bound))
            with pytest.raises(ValidationError):
                ReleaseConfig.model_validate(nested(key, beyond(bound, direction)))


@pytest.mark.parametrize("key", ["limits.max_median_ms", "limits.max_slowdown"])
def test_what_is_measured_may_be_any_positive_number(key: str) -> None:
    ReleaseConfig.model_validate(nested(key, math.ulp(0.0)))
    with pytest.raises(ValidationError):
        ReleaseConfig.model_validate(nested(key, 0.0))


def documented() -> Iterator[tuple[str, str]]:
    """Each key and its default, as docs/release.md has them; a second key of a row is one beside the first."""
    text = (ROOT / "docs" / "release.md").read_text(encoding="utf-8")
    for key, beside, defaults in re.findall(r"^\| `([a-z_.]+)`(?:, `(\.\w+)`)? \| ([^|]+) \|", text, re.MULTILINE):
        if not beside:
            yield key, defaults
        else:
            yield from zip((key, f"{key.rpartition('.')[0]}{beside}"), defaults.split(", "), strict=True)


@pytest.mark.parametrize(("key", "default"), [*documented()])
def test_a_default_is_the_one_that_is_documented(key: str, default: str) -> None:
    found: Any = ReleaseConfig().model_dump(mode="json")
    for name in key.split("."):
        found = found[name]
    assert found == {"none": None, "1e-9": 1e-9}.get(default, yaml.safe_load(default.strip("`")))


def test_every_key_is_documented() -> None:
    def keys(of: dict[str, Any], prefix: str = "") -> Iterator[str]:
        for name, value in of.items():
            yield from keys(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]

    assert {key for key, _ in documented()} == set(keys(ReleaseConfig().model_dump()))


@pytest.mark.parametrize(("requests", "least"), [(1, 50), (50, 50), (51, 51)])
def test_a_verdict_never_rests_on_fewer_than_50_answers(requests: int, least: int) -> None:
    assert CanaryLimits(requests=requests).least == least


def test_a_project_without_the_file_is_told_what_it_is_for(project: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"mlops/release.yml is not there: .*docs/release.md"):
        read_release(project)


def test_how_long_a_step_is_monitored_depends_on_what_is_behind_the_environment(
    project: Project, settings: Settings
) -> None:
    watched = {"seconds": {"azure": 60, "local": 1}, "extra_seconds": {"azure": 90, "local": 3}}
    release = declared(project, {"canary": watched})
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
    assert (release.extra_seconds(settings), release.extra_seconds(azure)) == (3, 90)
    assert (release.baseline(settings), release.baseline(azure)) == (False, True)

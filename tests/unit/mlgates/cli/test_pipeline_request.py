"""What `mlgates pipeline` is asked, as the options tell it."""

import pytest

from mlgates.cli.pipeline_command import request
from mlgates.core.errors import ConfigurationError
from mlgates.pipelines import ci_approver
from mlgates.pipelines.ci_approver import Approver
from mlgates.pipelines.pipeline_run import PipelineRequest


def asked(approver: str, reason: str = "") -> PipelineRequest:
    return request({}, force_retrain=False, until=None, approver=approver, reason=reason, canary=True)


@pytest.fixture
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_RUN_ID", "BUILD_BUILDID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("outside_of_ci")
def test_an_approver_is_taken_by_name() -> None:
    assert asked("ada", "it holds") == PipelineRequest(approver="ada", reason="it holds")


@pytest.mark.usefixtures("outside_of_ci")
def test_the_ci_system_is_asked_for_the_approver() -> None:
    with pytest.raises(ConfigurationError, match="--approved-by ci: this is no run of GitHub Actions"):
        asked("ci:prod")


@pytest.mark.parametrize(("given", "kept"), [("", "go"), ("mine", "mine")])
def test_the_comment_of_the_approval_is_the_reason_unless_one_is_given(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: str
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "17")
    monkeypatch.setattr(ci_approver, "_ask", lambda *_: [Approver("ada", "go")])
    assert asked("ci", given) == PipelineRequest(approver="ada", reason=kept)

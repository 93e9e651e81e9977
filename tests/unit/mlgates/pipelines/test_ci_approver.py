"""Who approved, as both CI systems tell it; the answers are canned, in the shapes that their documentation gives."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from mlgates.core.errors import ConfigurationError, NotAllowed
from mlgates.pipelines.ci_approver import Approver, approver_of

GITHUB = {"GITHUB_RUN_ID": "17", "GITHUB_REPOSITORY": "team/project", "GITHUB_TOKEN": "t0ken"}
AZURE = {
    "BUILD_BUILDID": "42",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/team/",
    "SYSTEM_TEAMPROJECT": "My project",
    "SYSTEM_ACCESSTOKEN": "t0ken",
}


class Canned(BaseAdapter):
    """A service that answers the same to everything, and keeps what it was asked."""

    def __init__(self, body: Any, status: int = 200, fault: Exception | None = None) -> None:
        super().__init__()
        self.body, self.status, self.fault = body, status, fault
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request)
        if self.fault:
            raise self.fault
        answer = requests.Response()
        answer.status_code = self.status
        answer._content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        answer.request, answer.url = request, request.url or ""
        return answer

    def close(self) -> None: ...


def ask(environ: Mapping[str, str], service: Canned, asked: str = "ci") -> Approver:
    session = requests.Session()
    session.mount("https://", service)
    return approver_of(asked, environ, session)


def review(login: str, environment: str, *, state: str = "approved", comment: str = "") -> dict[str, Any]:
    return {"state": state, "comment": comment, "user": {"login": login}, "environments": [{"name": environment}]}


def approval(run: int, *names: str, at: str = "2026-01-01T00:00:00Z", comment: str = "") -> dict[str, Any]:
    steps = [{"actualApprover": {"displayName": name}, "status": "approved", "comment": comment} for name in names]
    return {"pipeline": {"owner": {"id": run}}, "lastModifiedOn": at, "status": "approved", "steps": steps}


@given(st.text().filter(lambda text: text.partition(":")[0] != "ci"))
def test_a_name_is_taken_as_it_stands(name: str) -> None:
    assert approver_of(name, {}) == Approver(name)


def test_github_names_who_approved_with_the_comment() -> None:
    service = Canned([review("ada", "prod", comment="recall holds")])
    assert ask(GITHUB, service) == Approver("ada", "recall holds")


def test_github_is_asked_for_the_approvals_of_the_run() -> None:
    service = Canned([review("ada", "prod")])
    ask(GITHUB, service)
    assert service.asked[0].url == "https://api.github.com/repos/team/project/actions/runs/17/approvals"


@pytest.mark.parametrize(
    ("environ", "body"), [(GITHUB, [review("ada", "prod")]), (AZURE, {"value": [approval(42, "Ada")]})]
)
def test_the_token_goes_along(environ: Mapping[str, str], body: Any) -> None:
    service = Canned(body)
    ask(environ, service)
    assert service.asked[0].headers["Authorization"] == "Bearer t0ken"


def test_an_enterprise_server_is_asked_where_it_is() -> None:
    service = Canned([review("ada", "prod")])
    ask({**GITHUB, "GITHUB_API_URL": "https://git.example/api/v3"}, service)
    assert str(service.asked[0].url).startswith("https://git.example/api/v3/repos/")


def test_on_github_only_the_named_environment_counts() -> None:
    service = Canned([review("bob", "blue"), review("ada", "prod")])
    assert ask(GITHUB, service, "ci:prod").name == "ada"


def test_who_rejected_is_no_approver() -> None:
    service = Canned([review("bob", "prod", state="rejected"), review("ada", "prod")])
    assert ask(GITHUB, service).name == "ada"


def test_azure_devops_names_who_approved_with_the_comment() -> None:
    service = Canned({"count": 1, "value": [approval(42, "Ada Lovelace", comment="go")]})
    assert ask(AZURE, service) == Approver("Ada Lovelace", "go")


def test_azure_devops_is_asked_in_the_project_with_the_steps() -> None:
    service = Canned({"value": [approval(42, "Ada")]})
    ask(AZURE, service)
    assert service.asked[0].url == (
        "https://dev.azure.com/team/My%20project/_apis/pipelines/approvals?state=approved&$expand=steps&api-version=7.1"
    )


def test_on_azure_devops_other_runs_do_not_count() -> None:
    later = approval(43, "Bob", at="2026-02-01T00:00:00Z")
    assert ask(AZURE, Canned({"value": [later, approval(42, "Ada")]})).name == "Ada"


@given(st.permutations([1, 2, 3]))
def test_on_azure_devops_the_newest_approval_counts(order: list[int]) -> None:
    found = [approval(42, f"person {day}", at=f"2026-01-0{day}T00:00:00Z") for day in order]
    assert ask(AZURE, Canned({"value": found})).name == "person 3"


def test_those_who_approved_together_are_all_named() -> None:
    assert ask(AZURE, Canned({"value": [approval(42, "Ada", "Bob", "Ada")]})).name == "Ada, Bob"


def test_a_step_that_is_not_approved_names_nobody() -> None:
    found = approval(42, "Ada")
    found["steps"].append({"status": "skipped"})
    assert ask(AZURE, Canned({"value": [found]})).name == "Ada"


@pytest.mark.parametrize(
    ("environ", "body"), [(GITHUB, []), (GITHUB, [review("ada", "blue")]), (AZURE, {"value": [approval(7, "Ada")]})]
)
def test_an_approval_by_nobody_is_refused(environ: Mapping[str, str], body: Any) -> None:
    with pytest.raises(NotAllowed, match="nobody has approved environment 'prod' in this run"):
        ask(environ, Canned(body), "ci:prod")


def test_outside_of_ci_there_is_nobody_to_ask() -> None:
    with pytest.raises(ConfigurationError, match="no run of GitHub Actions"):
        ask({}, Canned([]))


@pytest.mark.parametrize(("environ", "name"), [(GITHUB, key) for key in GITHUB] + [(AZURE, key) for key in AZURE])
def test_a_variable_that_is_missing_is_named(environ: Mapping[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        ask({key: value for key, value in environ.items() if key != name}, Canned([]))


@pytest.mark.parametrize(("environ", "needs"), [(GITHUB, "actions: read"), (AZURE, r"vso\.build")])
def test_a_token_that_may_not_ask_says_what_it_needs(environ: Mapping[str, str], needs: str) -> None:
    with pytest.raises(NotAllowed, match=f"answered 403.*{needs}"):
        ask(environ, Canned({"message": "no"}, status=403))


@pytest.mark.parametrize("environ", [GITHUB, AZURE])
@pytest.mark.parametrize("body", [b"<html>sign in</html>", {"value": [{"id": 1}]}, [{"state": "approved"}], None, 7])
def test_an_answer_that_is_no_list_of_approvals_is_refused(environ: Mapping[str, str], body: Any) -> None:
    with pytest.raises(NotAllowed, match="approvals"):
        ask(environ, Canned(body))


def test_a_service_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(NotAllowed, match=r"gave no answer.*ConnectionError") as caught:
        ask(GITHUB, Canned([], fault=requests.ConnectionError("no route")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("environ", [GITHUB, AZURE])
def test_no_error_shows_the_token(environ: Mapping[str, str]) -> None:
    with pytest.raises(NotAllowed) as caught:
        ask(environ, Canned({}, status=401))
    assert "t0ken" not in str(caught.value)

"""Who gave the native approval of an environment: asked of the CI system whose run this is, and passed on.

`--approved-by ci` asks for any environment of the run, `--approved-by ci:prod` for that one. The facts of both:
docs.github.com/rest/actions/workflow-runs (review history of a workflow run) and
learn.microsoft.com/rest/api/azure/devops/approvalsandchecks/approvals/query.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from mlgates.core.errors import ConfigurationError, NotAllowed

CI = "ci"
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Approver:
    """Who has approved, and what they said."""

    name: str
    """Several who have approved together are joined by commas."""
    comment: str = ""


def approver_of(asked: str, environ: Mapping[str, str], session: requests.Session | None = None) -> Approver:
    """Return who is meant by `--approved-by`: a name as it is, or whom the CI system names for `ci`.

    Raises `ConfigurationError` where no CI system can be asked, `NotAllowed` when nobody has approved there.
    """
    system, _, environment = asked.partition(":")
    if system != CI:
        return Approver(asked)
    with session or requests.Session() as http:
        found = list(_ask(http, environ, environment))
    if not found:
        where = f" environment '{environment}'" if environment else " an environment"
        raise NotAllowed(
            f"--approved-by {asked}: nobody has approved{where} in this run -> let it require an approval (docs/ci.md)"
        )
    return Approver(_joined(one.name for one in found), _joined(one.comment for one in found))


def _ask(session: requests.Session, environ: Mapping[str, str], environment: str) -> Iterable[Approver]:
    if environ.get("GITHUB_RUN_ID"):
        return _on_github(_Api(session, environ, "GITHUB_TOKEN", "the permission 'actions: read'"), environment)
    if environ.get("BUILD_BUILDID"):
        return _on_azure_devops(_Api(session, environ, "SYSTEM_ACCESSTOKEN", "the scope vso.build"))
    raise ConfigurationError(
        f"--approved-by {CI}: this is no run of GitHub Actions (GITHUB_RUN_ID) or Azure DevOps (BUILD_BUILDID); "
        f"give the approver's name"
    )


@dataclass(frozen=True, slots=True)
class _Api:
    """The REST interface of the CI system."""

    session: requests.Session
    environ: Mapping[str, str]
    token: str
    """The variable that the token is in."""
    wanted: str
    """What the token must be allowed to."""

    def variable(self, name: str, default: str = "") -> str:
        value = self.environ.get(name) or default
        if not value:
            raise ConfigurationError(f"--approved-by {CI}: {name} is not set, which the CI system sets or passes on")
        return value

    def get(self, address: str, read: Callable[[Any], list[Any]]) -> list[Any]:
        """Return what is listed at `address`."""
        headers = {"Authorization": f"Bearer {self.variable(self.token)}", "Accept": "application/json"}
        failed = f"--approved-by {CI}: {address.partition('?')[0]}"
        try:
            answer = self.session.get(address, headers=headers, timeout=TIMEOUT_S)
            if answer.status_code != requests.codes.ok:
                raise NotAllowed(f"{failed} answered {answer.status_code}; {self.token} needs {self.wanted}")
            return read(answer.json())
        except requests.RequestException as error:
            raise NotAllowed(f"{failed} gave no answer that can be read: {type(error).__name__}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise NotAllowed(f"{failed} answered something else than a list of approvals") from error


def _on_github(api: _Api, environment: str) -> Iterable[Approver]:
    address = api.variable("GITHUB_API_URL", "https://api.github.com")
    repository, run = api.variable("GITHUB_REPOSITORY"), api.variable("GITHUB_RUN_ID")

    def read(document: Any) -> list[Approver]:
        return [
            Approver(review["user"]["login"], review.get("comment") or "")
            for review in document
            if review["state"] == "approved"
            and (not environment or environment in [waiting["name"] for waiting in review["environments"]])
        ]

    return api.get(f"{address}/repos/{repository}/actions/runs/{run}/approvals", read)


def _on_azure_devops(api: _Api) -> Iterable[Approver]:
    """Return who approved last: an approval does not name its environment, and stages come one after the other."""
    collection, project = api.variable("SYSTEM_COLLECTIONURI"), quote(api.variable("SYSTEM_TEAMPROJECT"))
    run = api.variable("BUILD_BUILDID")

    def read(document: Any) -> list[Approver]:
        own = [one for one in document["value"] if str(one["pipeline"]["owner"]["id"]) == run]
        newest = sorted(own, key=lambda one: str(one["lastModifiedOn"]))[-1:]
        return [
            Approver(step["actualApprover"]["displayName"], step.get("comment") or "")
            for approval in newest
            for step in approval["steps"]
            if step["status"] == "approved"
        ]

    query = "state=approved&$expand=steps&api-version=7.1"
    return api.get(f"{collection.rstrip('/')}/{project}/_apis/pipelines/approvals?{query}", read)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(text for text in texts if text))

"""A failed test tells what was under test, on the terminal and in JUnit XML; one that passed tells nothing."""

import xml.etree.ElementTree as ET

import pytest

from mlgates import endpoint_client
from mlgates.delivery import operations

pytest_plugins = ("pytester",)

LOADED = (operations, endpoint_client)
"""What the project's conftest imports: pytester drops modules that a run inside it is the first to import."""

CONFTEST = """
import pytest
from types import SimpleNamespace as Some
from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint
from mlgates.pytest_plugin.failure_sections import UnderTest
from mlgates.endpoint_client import ScoringResponse
from mlgates.endpoint_client import Exchange
from mlgates.endpoint_client import ScoringRequest

@pytest.fixture
def mlgates_workspace(pytestconfig):
    facts = {"environment": "dev", "aml_workspace_name": "mlw", "resource_group_name": "rg", "target": "Azure"}
    UnderTest.of(pytestconfig).workspace = Some(**facts)

@pytest.fixture
def mlgates_online_endpoint(mlgates_workspace, pytestconfig):
    deployments = {name: Some(name=name, model=f"azureml:classifier:{v}") for name, v in (("blue", 1), ("green", 2))}
    endpoint = Some(name="online-dev", traffic={"blue": 90, "green": 10})
    UnderTest.of(pytestconfig).online = LiveOnlineEndpoint(endpoint, deployments)

@pytest.fixture
def mlgates_batch_endpoint(mlgates_workspace, pytestconfig):
    endpoint = Some(name="batch-dev", defaults={"deployment_name": "night"})
    deployments = {"night": Some(name="night", model="azureml:classifier:7")}
    UnderTest.of(pytestconfig).batch = LiveBatchEndpoint(endpoint, deployments)

@pytest.fixture
def mlgates_scorer(mlgates_online_endpoint, pytestconfig):
    headers = {"azureml-model-deployment": "green", "x-request-id": "r-1"}
    response = ScoringResponse(424, b"no", headers)
    last = Exchange(ScoringRequest(b'{"input_data": []}'), response, "https://e/score", 0.02)
    asked = UnderTest.of(pytestconfig).asked
    asked.append(Some(last=last))
    yield
    asked.clear()
"""
# The deployment files import azure-ai-ml, whose warnings an ordinary run takes for known.
INI = "[pytest]\naddopts = -p mlgates.pytest_plugin -p no:randomly\nfilterwarnings =\n  ignore\n"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("CI", "")
    pytester.makeini(INI)
    pytester.makeconftest(CONFTEST)
    return pytester


def sections(project: pytest.Pytester, fixture: str, body: str = "assert False") -> dict[str, str]:
    """Run a test that uses `fixture`; return the properties that JUnit XML has of it."""
    project.makepyfile(f"def test_it({fixture}): {body}")
    project.runpytest_inprocess("--junit-xml", "report.xml")
    properties = ET.parse(project.path / "report.xml").iter("property")
    return {each.attrib["name"].removeprefix("mlgates."): each.attrib["value"] for each in properties}


def test_a_request_is_reported_with_the_deployment_that_answered(project: pytest.Pytester) -> None:
    assert sections(project, "mlgates_scorer") == {
        "workspace": "mlw (resource group rg, Azure)",
        "endpoint": "online-dev",
        "deployment": "green (10 %)",
        "model": "classifier:2",
        "request": "r-1",
        "answer": "424 in 20 ms: no",
        "repeat": """printf 'header = "Authorization: Bearer %s"\\n' "$KEY" | curl --config - https://e/score """
        "-H 'Content-Type: application/json' --data-binary '{\"input_data\": []}'",
        "key": "KEY=$(mlgates key --env dev)",
    }


def test_without_a_request_all_deployments_with_traffic_are_reported(project: pytest.Pytester) -> None:
    facts = sections(project, "mlgates_online_endpoint")
    assert (facts["deployment"], facts["model"]) == ("blue (90 %), green (10 %)", "classifier:1, classifier:2")


def test_a_batch_endpoint_is_reported_with_its_default(project: pytest.Pytester) -> None:
    facts = sections(project, "mlgates_batch_endpoint")
    assert (facts["batch deployment"], facts["batch model"]) == ("night", "classifier:7")


def test_an_endpoint_that_the_test_did_not_use_is_not_reported(project: pytest.Pytester) -> None:
    assert "endpoint" not in sections(project, "mlgates_batch_endpoint")


@pytest.mark.parametrize(
    "fixture", ["mlgates_scorer", "mlgates_online_endpoint", "mlgates_batch_endpoint", "mlgates_workspace"]
)
def test_a_test_that_passed_reports_nothing(project: pytest.Pytester, fixture: str) -> None:
    assert sections(project, fixture, "pass") == {}


def test_a_test_without_a_workspace_reports_nothing(project: pytest.Pytester) -> None:
    assert sections(project, "tmp_path") == {}


def test_the_terminal_shows_it_below_the_failure(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(mlgates_scorer): assert False")
    result = project.runpytest_inprocess()
    result.stdout.fnmatch_lines(["*- mlgates: what was under test -*", "workspace * mlw (*", "repeat *curl *"])

"""What Microsoft's end-to-end tests need of their surroundings: live, unrecorded, and with amlocal in place of Azure.

Loaded by pytest before the conftest of the tests, which stay as they are. They import `devtools_testutils`, a package
that records requests for later runs and is on no index; here nothing is recorded, so most of it does nothing.
"""

import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import azure.identity
import pytest
from azure.ai.ml import MLClient, _azure_environments
from azure.ai.ml.entities import AmlCompute

from tests.azure_sdk.out_of_scope import reason_of

COMPUTES = ("testCompute", "cpu-cluster")


class VariableRecorder:
    """Remembers nothing: each run draws its own names."""

    def get_or_record(self, _variable: str, default: str) -> str:
        return default


class EnvironmentVariables(dict[str, str]):
    """The environment; what the tests would hide in a recording is used as it is."""

    def sanitize_batch(self, stand_ins: Iterable[str]) -> dict[str, str]:
        return {name: os.environ.get(name, "") for name in stand_ins}


class FakeTokenCredential:
    """Never made: the tests run live."""


class AzureRecordedTestCase:
    """The base class of the tests."""


def module(name: str, **names: object) -> ModuleType:
    """Make a module of that name, imported from now on; what it is asked for besides does nothing."""

    def does_nothing(name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None

    made = ModuleType(name)
    made.__path__ = []
    vars(made).update(names, __getattr__=does_nothing)
    sys.modules[name] = made
    return made


def is_live() -> bool:
    return True


def is_live_and_not_recording() -> bool:
    """False: with it the tests would draw the hashes of what they upload, and not compute them."""
    return False


module("devtools_testutils", is_live=is_live, AzureRecordedTestCase=AzureRecordedTestCase)
module("devtools_testutils.helpers", is_live_and_not_recording=is_live_and_not_recording)
module("devtools_testutils.fake_credentials", FakeTokenCredential=FakeTokenCredential, SANITIZED="Sanitized")
module("devtools_testutils.proxy_fixtures", VariableRecorder=VariableRecorder)

# The fixtures name the public cloud and sign in by Azure's command line; here both lead to the local workspace.
_azure_environments._environments["AzureCloud"] = _azure_environments._get_cloud(os.environ["AZUREML_CURRENT_CLOUD"])
azure.identity.AzureCliCredential = azure.identity.ManagedIdentityCredential  # type: ignore[assignment,misc]


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """No proxy that records; and the computes that the tests find in Microsoft's workspace."""
    names = ("ML_SUBSCRIPTION_ID", "ML_RESOURCE_GROUP", "ML_WORKSPACE_NAME")
    client = MLClient(azure.identity.DefaultAzureCredential(), *(os.environ[name] for name in names))
    for name in COMPUTES:
        client.compute.begin_create_or_update(AmlCompute(name=name, max_instances=2)).result()


@pytest.fixture
def recorded_test() -> None:
    """No recording."""


@pytest.fixture
def variable_recorder() -> VariableRecorder:
    return VariableRecorder()


@pytest.fixture(scope="session")
def environment_variables() -> EnvironmentVariables:
    return EnvironmentVariables(os.environ)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Expect what is out of scope to fail: a test that passes although it is listed fails."""
    for item in items:
        if reason := reason_of(item.nodeid):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))

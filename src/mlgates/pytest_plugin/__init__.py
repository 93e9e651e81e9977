"""The pytest plugin: layers as markers, the workspace and what serves there as fixtures, failures with their evidence.

pytest loads this in every run, so no file here imports anything heavy at its top.
"""

import pytest

from mlgates.pytest_plugin import failure_sections, layer_hooks
from mlgates.pytest_plugin.endpoint_fixtures import (
    mlgates_batch_endpoint,
    mlgates_candidate,
    mlgates_delivered,
    mlgates_endpoint_at,
    mlgates_lineage,
    mlgates_online_address,
    mlgates_online_endpoint,
    mlgates_scorer,
)
from mlgates.pytest_plugin.workspace_fixtures import (
    mlgates_local_root,
    mlgates_own_workspace,
    mlgates_settings,
    mlgates_workspace,
)

__all__ = [
    "mlgates_batch_endpoint",
    "mlgates_candidate",
    "mlgates_delivered",
    "mlgates_endpoint_at",
    "mlgates_lineage",
    "mlgates_local_root",
    "mlgates_online_address",
    "mlgates_online_endpoint",
    "mlgates_own_workspace",
    "mlgates_scorer",
    "mlgates_settings",
    "mlgates_workspace",
]

# azure-ai-ml 1.35 defines its schemas in ways that marshmallow 3 calls outdated, a few hundred times on import, and
# downloads by calls that azure-storage-blob calls outdated too.
# MLflow warns of type hints of its own while it is imported, and of how it reads its database. A suite for which
# warnings are errors could do none of it.
_OF_OTHERS = (
    "ignore::DeprecationWarning:marshmallow",
    "ignore::DeprecationWarning:azure[.]ai[.]ml",
    "ignore::DeprecationWarning:azure[.]storage[.]blob",
    "ignore:.*type hint.* is inferred as AnyType:UserWarning",
    "ignore:.*noload.* loader strategy is deprecated:DeprecationWarning",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("mlgates")
    group.addoption(
        "--mlgates-env",
        default=None,
        help="look at the workspace of this environment as it is; by default a local one of the run's own is trained "
        "and deployed to",
    )
    group.addoption(
        "--mlgates-local-root",
        default=None,
        metavar="FOLDER",
        help="where local workspaces live, by default .amlocal; the run's own stays there, up, for the next run, while "
        "without this option it is temporary",
    )
    layer_hooks.add_option(group)
    group.addoption("--mlgates-model-version", default=None, help="the model version under test; by default the newest")


def pytest_configure(config: pytest.Config) -> None:
    """Let the SDK and MLflow be imported, and set up markers, watch and evidence."""
    for known in _OF_OTHERS:
        config.addinivalue_line("filterwarnings", known)
    layer_hooks.configure(config)
    failure_sections.configure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its layer."""
    layer_hooks.mark(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "failure_sections.Reporting":
    """Put what was under test into the report of a test that failed."""
    report = yield
    if report.failed:
        failure_sections.add(item, report)
    return report

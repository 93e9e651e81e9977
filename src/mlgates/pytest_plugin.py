"""The pytest plugin: layers as markers, the workspace under test as a fixture, and no layer that silently ran nothing.

pytest loads this in every run, so it imports nothing heavy at the top.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from mlgates.core.layers import LAYERS, layer_of, selected_layers

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.config.settings import Settings

# azure-ai-ml 1.35 defines its schemas in ways that marshmallow 3 calls outdated, a few hundred times on import, and
# downloads by calls that azure-storage-blob does. A suite for which warnings are errors could do neither.
_OF_THE_SDK = (
    "ignore::DeprecationWarning:marshmallow",
    "ignore::DeprecationWarning:azure[.]ai[.]ml",
    "ignore::DeprecationWarning:azure[.]storage[.]blob",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--env`."""
    parser.getgroup("mlgates").addoption(
        "--env",
        default=None,
        help="look at the workspace of this environment as it is; by default a fresh local one is trained for the run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, let the SDK be imported, and in CI watch that every selected layer runs."""
    for layer, meaning in LAYERS.items():
        config.addinivalue_line("markers", f"{layer}: {meaning}")
    for known in _OF_THE_SDK:
        config.addinivalue_line("filterwarnings", known)
    in_ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if in_ci and _is_project(config) and not hasattr(config, "workerinput") and not config.option.collectonly:
        chosen = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
        config.pluginmanager.register(LayerWatch(selected_layers(config.rootpath, chosen)), "mlgates-layers")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its layer."""
    for item in items:
        inside = _is_project(config) and item.path.is_relative_to(config.rootpath)
        layer = layer_of(item.path.relative_to(config.rootpath)) if inside else None
        if layer:
            item.add_marker(layer)


@pytest.fixture(scope="session")
def settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of the environment under test."""
    # Imported here, as in `workspace`: most runs use neither.
    from mlgates.config.load import load_settings  # noqa: PLC0415
    from mlgates.config.project import find_project  # noqa: PLC0415

    environment = pytestconfig.getoption("--env") or "local"
    return load_settings(find_project(pytestconfig.rootpath), environment, environ=os.environ)


@pytest.fixture(scope="session")
def workspace(
    pytestconfig: pytest.Config, settings: "Settings", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["MLClient"]:
    """A client of the workspace under test; without `--env` a local one, new and empty, that ends with the session.

    Each worker of pytest-xdist has one of its own.
    """
    from mlgates.delivery.local import local_workspace  # noqa: PLC0415

    fresh = tmp_path_factory.mktemp("amlocal") if pytestconfig.getoption("--env") is None else None
    with _environment_kept():
        try:
            yield _connected(settings, fresh)
        finally:
            if fresh:
                local_workspace(settings, fresh).stop()


def _connected(settings: "Settings", local_root: Path | None) -> "MLClient":
    from mlgates.core.errors import WorkspaceUnavailable  # noqa: PLC0415
    from mlgates.delivery.connect import connect  # noqa: PLC0415

    try:
        return connect(settings, local_root=local_root)
    except WorkspaceUnavailable as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Give the process its environment variables back: connecting sets those of a local workspace."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _is_project(config: pytest.Config) -> bool:
    return (config.rootpath / "mlops" / "config-mlops.yml").is_file()


class LayerWatch:
    """Fails a run in which a selected layer ran no test: skipped and deselected tests prove nothing."""

    def __init__(self, selected: frozenset[str]) -> None:
        self._silent = set(selected)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the layer of a test that ran; one that failed as expected did run."""
        if report.when == "call" and (not report.skipped or hasattr(report, "wasxfail")):
            self._silent.discard(layer_of(PurePosixPath(report.nodeid.split("::")[0])) or "")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a success into a failure when a layer stayed silent."""
        if self._silent and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name the silent layers."""
        for layer in sorted(self._silent):
            terminalreporter.write_line(
                f"mlgates: no test of layer '{layer}' ran, and in CI that is a failure", red=True
            )

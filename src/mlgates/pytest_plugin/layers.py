"""The layers of a project's tests: as markers, and so that none of them silently ran nothing in CI."""

import os
from pathlib import PurePosixPath
from typing import Any

import pytest

from mlgates.core.layers import LAYERS, layer_of, selected_layers


def configure(config: pytest.Config) -> None:
    """Declare the markers, and in CI watch that every selected layer runs."""
    for layer, meaning in LAYERS.items():
        config.addinivalue_line("markers", f"{layer}: {meaning}")
    in_ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if in_ci and _is_project(config) and not hasattr(config, "workerinput") and not config.option.collectonly:
        chosen = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
        config.pluginmanager.register(LayerWatch(selected_layers(config.rootpath, chosen)), "mlgates-layers")


def mark(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its layer."""
    for item in items:
        inside = _is_project(config) and item.path.is_relative_to(config.rootpath)
        layer = layer_of(item.path.relative_to(config.rootpath)) if inside else None
        if layer:
            item.add_marker(layer)


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

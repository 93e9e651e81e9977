"""The layers of a project's tests: as markers, never silently empty in CI, each with a report that gates read."""

import json
import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from mlgates.core.errors import SourceUnknown
from mlgates.core.files import write_whole
from mlgates.core.layers import LAYERS, layer_of, selected_layers

OPTION = "--mlgates-suite-reports"


def configure(config: pytest.Config) -> None:
    """Declare the markers, and in CI watch that every selected layer runs."""
    for layer, meaning in LAYERS.items():
        config.addinivalue_line("markers", f"{layer}: {meaning}")
    in_ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if in_ci and _is_project(config) and not hasattr(config, "workerinput") and not config.option.collectonly:
        chosen = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
        config.pluginmanager.register(LayerWatch(selected_layers(config.rootpath, chosen)), "mlgates-layers")
    _configure_reports(config)


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


def add_option(group: pytest.OptionGroup) -> None:
    """Declare the option."""
    group.addoption(
        OPTION,
        default=None,
        metavar="FOLDER",
        help="leave a file LAYER.json in FOLDER for each layer that ran: how many tests passed, failed, were skipped, "
        "and on which commit",
    )


def _configure_reports(config: pytest.Config) -> None:
    """Count, in the process that controls the run, when the reports are asked for."""
    folder = config.getoption(OPTION)
    if folder and not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(
            SuiteReports(config.invocation_params.dir / folder, config.rootpath), "mlgates-suites"
        )


class SuiteReports:
    """Counts what pytest reports, and writes it at the end; a run that is broken off leaves no report."""

    def __init__(self, folder: Path, root: Path) -> None:
        # Imported here: most runs ask for no reports. The state is that of the start, since that is what is tested.
        from mlgates.core.checkout import source_state  # noqa: PLC0415
        from mlgates.core.values import UNKNOWN, SourceState  # noqa: PLC0415

        self._folder = folder
        self._untold = ""
        try:
            self._source = source_state(root, os.environ)
        except SourceUnknown as error:
            # The tests are worth running all the same; no gate passes by this report.
            self._source, self._untold = SourceState(UNKNOWN, dirty=False), str(error)
        self._counts: dict[str, Counter[str]] = {}

    def pytest_report_header(self) -> str | None:
        """Say at the start that no gate will pass by these reports, and why."""
        return f"suite reports: of no known commit: {self._untold}" if self._untold else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: by its call when it passed, by whichever phase failed or skipped it."""
        if report.when == "call" or not report.passed:
            self._count(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that could not be collected as a failure of its layer: its tests did not run."""
        if report.failed:
            self._count(report.nodeid, report.outcome)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write a file a layer, whole or not at all."""
        complete = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        for layer, counts in self._counts.items():
            file = self._folder / f"{layer}.json"
            if not complete and not counts["failed"]:
                file.unlink(missing_ok=True)  # of an earlier run: it no longer tells how this layer stands
                continue
            write_whole(file, json.dumps(self._document(layer, counts), indent=2) + "\n")

    def _document(self, layer: str, counts: Counter[str]) -> dict[str, object]:
        outcomes = {name: counts[name] for name in ("passed", "failed", "skipped")}
        source = {"commit": self._source.commit, "dirty": self._source.dirty}
        return {"layer": layer, **outcomes, **source, **({"reason": self._untold} if self._untold else {})}

    def _count(self, nodeid: str, outcome: str) -> None:
        if layer := layer_of(PurePosixPath(nodeid.split("::", maxsplit=1)[0])):
            self._counts.setdefault(layer, Counter())[outcome] += 1

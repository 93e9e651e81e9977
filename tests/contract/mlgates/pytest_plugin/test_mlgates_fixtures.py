"""The fixtures of the pytest plugin, in runs of their own against a workspace in memory."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mlgates import endpoint_client
from mlgates.config.project import Project
from mlgates.config.settings import Settings
from mlgates.delivery import connection, endpoints, online, operations, training
from mlgates.delivery.connection import LocalWorkspace
from tests.unit.mlgates.fake_workspace import FakeWorkspace

pytest_plugins = ("pytester",)

LOADED = (connection, endpoints, online, operations, training, endpoint_client)
"""What the fixtures import: pytester drops modules that a run inside it is the first to import."""
# The deployment files import azure-ai-ml, whose warnings an ordinary run takes for known.
INI = "[pytest]\naddopts = -p mlgates.pytest_plugin -p no:cacheprovider\nfilterwarnings =\n  ignore\n"


class Connections(list[tuple[str, Path | None]]):
    """Which environment was connected to, and in which folder of local workspaces; then what was stopped."""

    stopped: int = 0


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, workspace: FakeWorkspace) -> Connections:
    made = Connections()

    def connect(settings: Settings, *, local_root: Path | None) -> FakeWorkspace:
        made.append((settings.environment, local_root))
        return workspace

    def stop(self: LocalWorkspace) -> None:
        made.stopped += 1

    monkeypatch.setattr(connection, "connect", connect)
    monkeypatch.setattr(LocalWorkspace, "stop", stop)
    return made


@pytest.fixture
def suite(
    pytester: pytest.Pytester, project: Project, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> "Suite":
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("CI", "")
    (project.root / "pytest.ini").write_text(INI)
    return Suite(pytester, project)


class Suite:
    """A suite of one test, in a project."""

    def __init__(self, pytester: pytest.Pytester, project: Project) -> None:
        self._pytester = pytester
        self._file = project.root / "test_it.py"

    def run(self, fixtures: str, *options: str, body: str = "pass") -> pytest.RunResult:
        self._file.write_text(f"def test_it({fixtures}): {body}\n")
        return self._pytester.runpytest_inprocess(self._file, *options)


def register(workspace: FakeWorkspace, versions: int) -> None:
    for _ in range(versions):
        workspace.models.create_or_update(SimpleNamespace(name="classifier", tags={"job": "j", "data": "patients:1"}))


class TestTheWorkspace:
    def test_is_temporary_by_default(self, suite: Suite, connections: Connections) -> None:
        suite.run("mlgates_workspace").assert_outcomes(passed=1)
        ((environment, root),) = connections
        assert (environment, root is not None, connections.stopped) == ("local", True, 1)

    def test_stays_where_it_is_told_to(self, suite: Suite, connections: Connections) -> None:
        suite.run("mlgates_workspace", "--mlgates-local-root", "mine").assert_outcomes(passed=1)
        assert (connections, connections.stopped) == ([("local", Path.cwd() / "mine")], 0)

    def test_of_an_environment_is_among_the_projects_own(self, suite: Suite, connections: Connections) -> None:
        suite.run("mlgates_workspace", "--mlgates-env", "dev").assert_outcomes(passed=1)
        assert (connections, connections.stopped) == ([("dev", None)], 0)

    @pytest.mark.parametrize(("options", "own"), [((), True), (("--mlgates-env", "dev"), False)])
    def test_may_be_changed_when_it_is_the_runs_own(self, suite: Suite, options: tuple[str, ...], own: bool) -> None:
        suite.run("mlgates_own_workspace", *options, body=f"assert mlgates_own_workspace is {own}").assert_outcomes(
            passed=1
        )


class TestDelivery:
    def test_brings_about_both_endpoints_of_the_runs_own(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 1)
        suite.run("mlgates_delivered").assert_outcomes(passed=1)
        assert (list(workspace.online_endpoints.held), list(workspace.batch_endpoints.held)) == (
            [("online-local",)],
            [("batch-local",)],
        )

    def test_changes_nothing_of_an_environment(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 1)
        suite.run("mlgates_delivered", "--mlgates-env", "dev").assert_outcomes(passed=1)
        assert (workspace.online_endpoints.asked, workspace.batch_endpoints.asked) == ([], [])

    @pytest.mark.parametrize("kind", ["online", "batch"])
    def test_that_never_was_is_reported_in_one_line(self, suite: Suite, kind: str) -> None:
        result = suite.run(f"mlgates_{kind}_endpoint", "--mlgates-env", "dev")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"dev has no endpoint {kind}-dev: run 'mlgates deploy --env dev'"])


class TestTheCandidate:
    @pytest.mark.parametrize(("options", "version"), [((), "3"), (("--mlgates-model-version", "2"), "2")])
    def test_is_the_newest_or_the_one_that_was_named(
        self, suite: Suite, workspace: FakeWorkspace, options: tuple[str, ...], version: str
    ) -> None:
        register(workspace, 3)
        body = f"assert mlgates_candidate.version == '{version}'"
        suite.run("mlgates_candidate", "--mlgates-env", "dev", *options, body=body).assert_outcomes(passed=1)

    def test_that_is_not_there_is_reported_with_those_that_are(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 2)
        result = suite.run("mlgates_candidate", "--mlgates-env", "dev", "--mlgates-model-version", "7")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["there is no version 7 of model classifier (known: 2, 1)*"])

    def test_has_its_lineage_beside_it(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 1)
        body = "assert (mlgates_lineage.job, mlgates_lineage.data) == ('j', 'patients:1')"
        suite.run("mlgates_lineage", "--mlgates-env", "dev", body=body).assert_outcomes(passed=1)


class TestTheScorer:
    def test_asks_the_endpoint_with_its_key(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 1)
        asked = ("https://scoring/online-local", "the key")
        body = f"address = mlgates_scorer.address; assert (address.uri, address.credential) == {asked}"
        suite.run("mlgates_scorer", body=body).assert_outcomes(passed=1)

    def test_is_new_for_each_test(self, suite: Suite, workspace: FakeWorkspace) -> None:
        register(workspace, 1)
        body = "assert mlgates_scorer.last is None; mlgates_scorer.last = 1"
        suite.run("mlgates_scorer", body=f"{body}\ndef test_another(mlgates_scorer): {body}").assert_outcomes(passed=2)

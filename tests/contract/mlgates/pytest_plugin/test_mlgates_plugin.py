import re
import subprocess
import sys

import pytest

pytest_plugins = ("pytester",)

PASSING = "def test_it(): pass"
SKIPPED = "import pytest\n@pytest.mark.skip(reason='needs Azure, not here')\ndef test_it(): pass"
EXPECTED_TO_FAIL = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the layers unit and smoke, in CI."""
    monkeypatch.setenv("CI", "true")
    (pytester.mkdir("mlops") / "config-mlops.yml").touch()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the other plugins take longer than the tests
    pytester.makeini("[pytest]\naddopts = --strict-markers -p mlgates.pytest_plugin\n")
    for layer in ("unit", "smoke"):
        (pytester.path / "tests" / layer).mkdir(parents=True)
    return pytester


def write(project: pytest.Pytester, layer: str, source: str) -> None:
    (project.path / "tests" / layer / f"test_{layer}.py").write_text(source)


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.runpytest_inprocess(*words)


class TestMarkers:
    def test_a_test_is_marked_by_its_folder(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", PASSING)
        run(project, "-m", "smoke", "tests/smoke").assert_outcomes(passed=1)

    def test_the_other_layers_are_deselected(self, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI")
        write(project, "unit", PASSING)
        write(project, "smoke", PASSING)
        run(project, "-m", "smoke").assert_outcomes(passed=1, deselected=1)

    def test_outside_of_a_project_nothing_is_marked(self, project: pytest.Pytester) -> None:
        (project.path / "mlops" / "config-mlops.yml").unlink()
        write(project, "unit", PASSING)
        run(project, "-m", "unit").assert_outcomes(deselected=1)


class TestLayersInCi:
    def test_pass_when_each_ran_a_test(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", PASSING)
        assert run(project, "tests").ret == pytest.ExitCode.OK

    def test_fail_when_all_tests_of_one_were_skipped(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", SKIPPED)
        result = run(project, "tests")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["mlgates: no test of layer 'smoke' ran, and in CI that is a failure"])

    def test_fail_when_all_tests_of_one_were_deselected(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", PASSING)
        assert run(project, "-k", "unit").ret == pytest.ExitCode.TESTS_FAILED

    def test_pass_when_the_silent_one_was_not_selected(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", SKIPPED)
        assert run(project, "tests/unit/test_unit.py::test_it").ret == pytest.ExitCode.OK

    def test_pass_when_a_test_failed_as_expected(self, project: pytest.Pytester) -> None:
        write(project, "unit", EXPECTED_TO_FAIL)
        assert run(project, "tests/unit").ret == pytest.ExitCode.OK

    def test_keep_the_exit_code_of_a_failure(self, project: pytest.Pytester) -> None:
        write(project, "unit", "def test_it(: syntax error")
        assert run(project, "tests").ret == pytest.ExitCode.INTERRUPTED

    def test_are_not_watched_when_nothing_is_to_run(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        assert run(project, "--collect-only").ret == pytest.ExitCode.OK

    def test_are_watched_across_workers(self, project: pytest.Pytester) -> None:
        write(project, "unit", PASSING)
        write(project, "smoke", SKIPPED)
        result = project.runpytest_subprocess("-p", "xdist.plugin", "-n", "1", "tests")
        assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_elsewhere_a_skipped_layer_is_no_failure(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "false")
    write(project, "unit", SKIPPED)
    assert run(project, "tests").ret == pytest.ExitCode.OK


def test_settings_are_those_of_the_named_environment(project: pytest.Pytester) -> None:
    write(project, "unit", "def test_it(mlgates_settings): pass")
    result = run(project, "tests/unit", "--mlgates-env", "dve")
    result.stdout.fnmatch_lines(["*config-infra-dve.yml is not there*"])


def test_a_workspace_that_cannot_be_reached_fails_in_one_line(
    project: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (pytestconfig.rootpath / "mlops").glob("config-*.yml"):
        (project.path / "mlops" / file.name).write_text(file.read_text())
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "12345678-1234-1234-1234-1234567890ab")
    monkeypatch.setenv("ARM_CLOUD_METADATA_URL", "https://127.0.0.1:1/metadata")
    write(project, "unit", "def test_it(mlgates_workspace): pass")
    result = run(project, "tests/unit", "--mlgates-env", "dev")
    result.stdout.fnmatch_lines(["'dev' is on Azure, but ARM_CLOUD_METADATA_URL points to a local workspace*"])
    result.stdout.no_fnmatch_line("*During handling*")


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = {"azure", "requests", "rich", "typer", "yaml"}
    code = f"import sys, mlgates.pytest_plugin; print(*sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


class TestGuest:
    """The plugin in a repository that is none of its projects, with names of its own."""

    CONFTEST = """
import pytest

def pytest_addoption(parser):
    for name in ("--env", "--local-root", "--suite-reports", "--model-version"):
        parser.addoption(name, default="mine")

@pytest.fixture
def settings(): return "mine"

@pytest.fixture
def workspace(settings): return settings
"""

    @pytest.fixture(autouse=True)
    def _alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def test_options_and_fixtures_of_the_same_name_are_the_repositorys(self, pytester: pytest.Pytester) -> None:
        pytester.makeconftest(self.CONFTEST)
        pytester.makepyfile(
            "def test_it(workspace, pytestconfig): assert workspace == pytestconfig.getoption('--env') == 'mine'"
        )
        pytester.runpytest_inprocess("-p", "mlgates.pytest_plugin").assert_outcomes(passed=1)

    def test_every_name_that_it_brings_says_whose_it_is(self, pytester: pytest.Pytester) -> None:
        import mlgates.pytest_plugin as plugin  # noqa: PLC0415

        assert {name for name in plugin.__all__ if not name.startswith("mlgates_")} == set()
        options = pytester.runpytest_inprocess("-p", "mlgates.pytest_plugin", "--help").stdout.str()
        (own,) = re.findall(r"^mlgates:\n((?: .*\n)+)", options, re.MULTILINE)
        assert re.findall(r"^  (--\S+)", own, re.MULTILINE)
        assert [name for name in re.findall(r"^  (--[\w-]+)", own, re.MULTILINE) if "mlgates" not in name] == []

    def test_without_a_project_no_test_is_marked_and_nothing_written(self, pytester: pytest.Pytester) -> None:
        (pytester.path / "tests" / "unit").mkdir(parents=True)
        file = pytester.path / "tests" / "unit" / "test_mine.py"
        file.write_text("def test_it(request): assert [mark.name for mark in request.node.own_markers] == []")
        pytester.runpytest_inprocess("-p", "mlgates.pytest_plugin", "--strict-markers").assert_outcomes(passed=1)
        assert not (pytester.path / "reports").exists()

    def test_warnings_of_mlflow_fail_no_suite_for_which_they_are_errors(self, pytester: pytest.Pytester) -> None:
        pytester.makeini("[pytest]\nfilterwarnings = error\n")
        pytester.makepyfile(
            """
            def test_it():
                import mlflow.pyfunc
                from mlflow.store.tracking.dbmodels import models
                from sqlalchemy.orm import configure_mappers

                configure_mappers()
            """
        )
        pytester.runpytest_subprocess("-p", "mlgates.pytest_plugin").assert_outcomes(passed=1)

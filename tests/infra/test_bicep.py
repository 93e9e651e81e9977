"""The Azure resources as Bicep: syntax, and checkov's policies but for those that infra/.checkov.yml leaves out.

checkov pins what the project pins otherwise, so these tests run in an environment of their own: `nox -s infra`. They
ask its runner and not its command, which ends well when a file cannot even be parsed.
"""

import shutil
from pathlib import Path

import pytest
import yaml
from checkov.arm.checks import resource as arm_policies
from checkov.bicep.runner import Runner
from checkov.common.output.report import Report
from checkov.runner_filter import RunnerFilter

INFRA = Path(__file__).resolve().parents[2] / "infra"
assert arm_policies  # imported since that registers them: Bicep is held to the policies of ARM templates
LEFT_OUT: list[str] = yaml.safe_load((INFRA / ".checkov.yml").read_text("utf-8"))["skip-check"]


def look_at(folder: Path, *, left_out: list[str]) -> Report:
    found = Runner().run(str(folder), runner_filter=RunnerFilter(framework=["bicep"], skip_checks=left_out))
    assert isinstance(found, Report)
    return found


def failed(report: Report) -> set[str]:
    return {check.check_id for check in report.failed_checks}


@pytest.fixture(scope="module")
def report() -> Report:
    return look_at(INFRA, left_out=LEFT_OUT)


@pytest.fixture(scope="module")
def unforgiving() -> Report:
    """By every policy, those that are left out too."""
    return look_at(INFRA, left_out=[])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(INFRA, tmp_path / "infra")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_every_file_can_be_parsed(report: Report) -> None:
    assert report.parsing_errors == []


def test_the_policies_hold(report: Report) -> None:
    assert failed(report) == set()


def test_every_kind_of_resource_is_looked_at(unforgiving: Report) -> None:
    checks = unforgiving.passed_checks + unforgiving.failed_checks
    resources = {check.resource.rpartition(".")[0] for check in checks}
    assert {
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.KeyVault/vaults",
        "Microsoft.MachineLearningServices/workspaces",
        "Microsoft.Storage/storageAccounts",
    } <= resources


def test_no_policy_is_left_out_that_would_hold(unforgiving: Report) -> None:
    assert failed(unforgiving) == set(LEFT_OUT)


def test_a_file_that_cannot_be_parsed_is_noticed(copy: Path) -> None:
    replace(copy / "modules" / "workspace.bicep", "properties: {", "properties {{")
    assert [Path(file).name for file in look_at(copy, left_out=LEFT_OUT).parsing_errors] == ["workspace.bicep"]


def test_a_policy_that_is_broken_is_noticed(copy: Path) -> None:
    replace(copy / "modules" / "foundation.bicep", "enablePurgeProtection: true", "enablePurgeProtection: false")
    assert failed(look_at(copy, left_out=LEFT_OUT)) != set()

"""What holds for every command: its options, its group, its exit codes, and facts as JSON."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import mlgates as package
from mlgates.cli.app import app
from mlgates.cli.command import Group, as_json
from mlgates.core.errors import ExitCode, MlgatesError
from mlgates.core.ledger import Action
from tests.unit.mlgates.cli.conftest import Command
from tests.unit.mlgates.cli.test_release_commands import written
from tests.unit.mlgates.fake_workspace import FakeWorkspace

SOURCES = Path(package.__path__[0])
WITHOUT_SETTINGS = {"init", "suite", "update"}
"""They make a project, or its files anew."""
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


for file in SOURCES.rglob("*.py"):
    if "exit_code" in file.read_text(encoding="utf-8"):
        importlib.import_module(".".join(file.relative_to(SOURCES.parent).with_suffix("").parts))


def kinds(base: type[MlgatesError] = MlgatesError) -> Iterator[type[MlgatesError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("name", COMMANDS)
class TestEveryCommand:
    def test_has_the_options_that_all_share(self, name: str) -> None:
        names = {each.name for each in COMMANDS[name].params}
        shared = {"debug"} if name in WITHOUT_SETTINGS else {"env", "project", "require_azure", "debug"}
        assert shared <= names

    def test_is_in_a_group_of_the_help(self, name: str) -> None:
        assert COMMANDS[name].rich_help_panel in set(Group)

    def test_has_arguments_before_options(self, name: str) -> None:
        places = [each.param_type_name == "argument" for each in COMMANDS[name].params]
        assert places == sorted(places, reverse=True)


class TestExitCodes:
    def test_are_one_for_each_kind_of_failure(self) -> None:
        families: dict[ExitCode, set[type[MlgatesError]]] = {}
        for kind in kinds():
            families.setdefault(kind.exit_code, set()).add(kind)
        for code, members in families.items():
            packages = {kind.__module__.rpartition(".")[0] for kind in members if not members & set(kind.__bases__)}
            assert len(packages) == 1, f"{code!r} means more than one thing: {members}"

    def test_are_all_of_the_enum(self) -> None:
        assert all(isinstance(kind.exit_code, ExitCode) for kind in kinds())

    def test_are_all_in_use(self) -> None:
        given = {kind.exit_code for kind in kinds()} | {MlgatesError.exit_code}
        assert set(ExitCode) - given == {ExitCode.INTERRUPTED}

    def test_have_a_meaning(self) -> None:
        assert all(code.meaning.endswith(".") for code in ExitCode)


class TestFactsAsJson:
    def test_of_the_configuration_name_the_source(self, mlgates: Command) -> None:
        facts = json.loads(mlgates("config", "--output", "json").stdout)
        assert facts["MODEL_NAME"] == {"value": "classifier", "source": "mlops/config-mlops.yml"}

    def test_of_the_history_hold_every_entry(self, mlgates: Command, workspace: FakeWorkspace) -> None:
        written(workspace, Action.APPROVED)
        facts = json.loads(mlgates("history", "--output", "json").stdout)
        assert [(each["number"], each["action"]) for each in facts["entries"]] == [(1, "approved")]
        assert facts["fault"] is None

    def test_keep_every_character(self, mlgates: Command, workspace: FakeWorkspace) -> None:
        written(workspace, Action.APPROVED, reason="[b] :smile: é \\n")
        facts = json.loads(mlgates("history", "--output", "json").stdout)
        assert facts["entries"][0]["reason"] == "[b] :smile: é \\n"

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
    def test_are_read_by_every_reader(self, number: float) -> None:
        def refuse(constant: str) -> None:
            pytest.fail(f"{constant} is no JSON")

        assert json.loads(as_json({"figure": number, "name": "NaN"}), parse_constant=refuse) == {
            "figure": None, "name": "NaN",
        }  # fmt: skip


class TestATableInAPipe:
    def test_keeps_its_words_whole(self, mlgates: Command, workspace: FakeWorkspace) -> None:
        written(workspace, Action.APPROVED, reason=" ".join(["word"] * 40))
        lines = [line for line in mlgates("history").stdout.splitlines() if "approved" in line]
        assert [line.count("word") for line in lines] == [40]

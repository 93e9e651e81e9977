"""The command line, in process: the servers that it would start or find are stood in for."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner, Result

from amlocal import cli, launcher, server, state
from amlocal.blobs import BlobStore
from amlocal.core.context import random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import AmlocalError
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.store import STEP
from amlocal.launcher import RunningServer
from amlocal.settings import LENIENT, Settings

ORIGIN = "https://127.0.0.1:1"
COMMANDS = sorted(typer.main.get_group(cli.app).commands)
Run = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace that was made and is down."""
    settings = Settings(root=tmp_path / "root")
    settings.folder.create()
    state.prepare(settings, {})
    return settings


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the root of the test."""
    monkeypatch.setenv("AMLOCAL_ROOT", str(tmp_path / "root"))
    monkeypatch.delenv("AMLOCAL_WORKSPACE", raising=False)
    return lambda *arguments, **options: CliRunner().invoke(cli.app, arguments, **options)


@pytest.fixture
def running(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """The workspace, with this process in the place of its server."""
    state.write_server(settings.folder, ORIGIN)
    monkeypatch.setattr(launcher, "stop", lambda running: running.folder.server.unlink())
    with state.acquire(settings.folder):
        yield RunningServer(settings.folder, ORIGIN, os.getpid())


def fails(result: Result, text: str) -> None:
    """Check that a command ended in one line for a person."""
    assert result.exit_code == 1
    assert result.stderr.startswith("amlocal: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert text in result.stderr


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_and_every_option_has_help(self, run: Run, command: str) -> None:
        result = run(command, "--help")
        assert result.exit_code == 0
        for parameter in typer.main.get_group(cli.app).commands[command].params:
            assert getattr(parameter, "help", None), f"{command} {parameter.name}"

    def test_every_command_says_what_it_does(self) -> None:
        assert all(command.help for command in typer.main.get_group(cli.app).commands.values())

    def test_all_commands_are_listed_but_the_one_for_ourselves(self, run: Run) -> None:
        result = run("--help")
        assert [command for command in COMMANDS if f"  {command} " not in result.output] == ["serve"]

    def test_no_command_is_a_wish_for_help(self, run: Run) -> None:
        assert "Usage: " in run().output


class TestUp:
    def test_in_the_background_it_says_where_it_is(
        self, run: Run, running: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Settings] = []

        def start(settings: Settings) -> RunningServer:
            asked.append(settings)
            return running

        monkeypatch.setattr(launcher, "start", start)
        result = run("up", "--detach", "--port", "8443", "--strict-environments", "--lenient")
        assert result.exit_code == 0
        assert f"is up at {ORIGIN}" in result.output
        (settings,) = asked
        assert (settings.port, settings.strict_environments, settings.lenient) == (8443, True, True)

    def test_for_a_program_it_says_so_in_json(
        self, run: Run, running: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(launcher, "start", lambda _: running)
        assert json.loads(run("up", "-d", "--json").output) == {
            "workspace": "local",
            "resource_group": "amlocal",
            "subscription": "00000000-0000-0000-0000-000000000000",
            "origin": ORIGIN,
            "pid": os.getpid(),
            "folder": str(running.folder.root),
            "lenient": False,
        }

    def test_again_does_no_harm(self, run: Run, running: RunningServer) -> None:
        assert ORIGIN in run("up", "--detach").output

    @pytest.mark.parametrize("command", [["up", "--detach", "--lenient"], ["exec", "--lenient", "--", "true"]])
    def test_one_that_refuses_like_azure_does_not_become_lenient(
        self, run: Run, running: RunningServer, command: list[str]
    ) -> None:
        fails(run(*command), "not lenient. Stop it with 'amlocal down' first.")

    @pytest.mark.parametrize("option", [[], ["--lenient"]])
    def test_a_lenient_one_says_so_whoever_starts_it(self, run: Run, running: RunningServer, option: list[str]) -> None:
        state.write_server(running.folder, ORIGIN, lenient=True)
        assert f"It is {LENIENT}" in run("up", "--detach", *option).output

    def test_in_the_foreground_it_serves(self, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        logs: list[Path | None] = []
        monkeypatch.setattr(server, "configure_log", logs.append)
        monkeypatch.setattr(server, "serve", lambda chosen, ready: ready(state.read_identity(chosen.folder)[0], ORIGIN))
        result = run("up")
        assert "Workspace local (resource group amlocal" in result.output
        assert "lenient" not in result.output
        assert logs == [None]

    def test_a_second_server_on_the_folder_is_refused(
        self, run: Run, running: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "configure_log", lambda _: None)
        fails(run("up"), f"A server already runs on {running.folder.root}")

    @pytest.mark.parametrize("option", [["--port", "99999"], ["--workspace", ".."], ["--root", "/dev/null"]])
    def test_bad_options_are_one_line(self, run: Run, option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "configure_log", lambda _: None)
        fails(run("up", *option), "")

    def test_another_group_than_the_folders_is_refused(self, run: Run, running: RunningServer) -> None:
        fails(run("up", "-d", "--resource-group", "elsewhere"), "not 'elsewhere'")


class TestServe:
    """What `up --detach` starts."""

    def serve(self, run: Run, settings: Settings) -> tuple[Result, str]:
        reader, writer = os.pipe()
        result = run("serve", "--settings", settings.to_json(), "--ready-fd", str(writer))
        with os.fdopen(reader) as answer:
            return result, answer.read()

    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "fork", lambda: 0)
        monkeypatch.setattr(server, "configure_log", lambda _: None)

    def test_a_server_that_is_ready_says_where(
        self, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "serve", lambda _, ready: ready(None, ORIGIN))
        assert self.serve(run, settings)[1] == f"ready {ORIGIN}\n"

    def test_a_server_that_cannot_start_says_why(self, run: Run, settings: Settings, running: RunningServer) -> None:
        result, answer = self.serve(run, settings)
        assert "already runs" in answer
        fails(result, "already runs")

    def test_a_server_that_fails_when_it_was_ready_has_said_its_line(
        self, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def serve(_: Settings, ready: Callable[..., None]) -> None:
            ready(None, ORIGIN)
            raise AmlocalError("later")

        monkeypatch.setattr(server, "serve", serve)
        result, answer = self.serve(run, settings)
        assert answer == f"ready {ORIGIN}\n"
        fails(result, "later")

    def test_the_process_that_was_started_leaves_the_server_to_itself(
        self, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Left(Exception):
            pass

        def leave(code: int) -> None:
            raise Left(code)

        monkeypatch.setattr(os, "fork", lambda: 7)
        monkeypatch.setattr(os, "_exit", leave)
        result = run("serve", "--settings", settings.to_json(), "--ready-fd", "0")
        assert isinstance(result.exception, Left)
        assert result.exception.args == (0,)


class TestDown:
    def test_a_server_is_stopped(self, run: Run, running: RunningServer) -> None:
        assert run("down").output == "Workspace local is down.\n"
        assert not running.folder.server.exists()

    def test_all_servers_are_stopped(self, run: Run, running: RunningServer) -> None:
        assert run("down", "--all").output == "Workspace local is down.\n"

    @pytest.mark.parametrize(
        ("option", "line"), [([], "Workspace local is not up.\n"), (["--all"], "Nothing to stop.\n")]
    )
    def test_nothing_to_stop_is_no_error(self, run: Run, settings: Settings, option: list[str], line: str) -> None:
        result = run("down", *option)
        assert (result.exit_code, result.output) == (0, line)


class TestStatus:
    def test_a_server_that_runs_is_shown(self, run: Run, running: RunningServer) -> None:
        assert run("status").output == f"local: up at {ORIGIN} (process {os.getpid()})\n"

    def test_a_lenient_one_says_so(self, run: Run, running: RunningServer) -> None:
        state.write_server(running.folder, ORIGIN, lenient=True)
        assert run("status").output == f"local: up at {ORIGIN} (process {os.getpid()}, lenient)\n"
        assert json.loads(run("status", "--json").output)[0]["lenient"] is True

    def test_one_that_does_not_is_shown_as_down(self, run: Run, settings: Settings) -> None:
        assert run("status").output == "local: down\n"

    def test_a_folder_without_workspaces_says_how_to_start_one(self, run: Run) -> None:
        assert "amlocal up --detach" in run("status").output

    def test_json_is_for_programs(self, run: Run, running: RunningServer) -> None:
        other = Settings(root=running.folder.root.parent, workspace="other")
        other.folder.create()
        state.open_identity(other)
        assert json.loads(run("status", "--json").output) == [
            {"workspace": "local", "up": True, "origin": ORIGIN, "lenient": False},
            {"workspace": "other", "up": False, "origin": None, "lenient": None},
        ]

    def test_a_damaged_workspace_does_not_hide_the_others(self, run: Run, settings: Settings) -> None:
        settings.folder.identity.write_text("{")
        assert run("status").output == "local: down\n"


class TestEnv:
    def test_json_holds_the_same(self, run: Run, running: RunningServer) -> None:
        shown = json.loads(run("env", "--format", "json").output)
        assert shown.keys() == running.environ().keys()

    def test_another_format_is_refused(self, run: Run, running: RunningServer) -> None:
        fails(run("env", "--format", "yaml"), "shell or json, not 'yaml'")

    def test_a_workspace_that_is_down_says_how_to_start_it(self, run: Run, settings: Settings) -> None:
        fails(run("env"), "amlocal up --detach --workspace local")


class TestExec:
    @pytest.fixture
    def executed(self, running: RunningServer, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What took the place of this process."""
        executed: list[Any] = []
        monkeypatch.setattr(launcher, "start", lambda _: running)
        monkeypatch.setattr(os, "execve", lambda *call: executed.extend(call))
        return executed

    def test_a_command_takes_the_place_of_this_one(self, run: Run, executed: list[Any]) -> None:
        run("exec", "--", "env", "--debug", "-x", "a b")
        program, arguments, environ = executed
        assert Path(program).name == "env"
        assert arguments == ["env", "--debug", "-x", "a b"]
        assert environ["IDENTITY_ENDPOINT"] == f"{ORIGIN}/msi/token"
        assert environ["PATH"] == os.environ["PATH"]

    def test_it_says_that_the_workspace_is_lenient(
        self, run: Run, running: RunningServer, executed: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Settings] = []

        def start(settings: Settings) -> RunningServer:
            asked.append(settings)
            return RunningServer(running.folder, running.origin, running.pid, lenient=settings.lenient)

        monkeypatch.setattr(launcher, "start", start)
        assert LENIENT in run("exec", "--lenient", "--", "true").stderr
        assert asked[0].lenient
        assert "lenient" not in run("exec", "--", "true").stderr

    def test_a_command_that_is_not_there_is_named(self, run: Run, executed: list[Any]) -> None:
        fails(run("exec", "--", "no-such-command"), "There is no command 'no-such-command'.")
        assert executed == []


class TestLogs:
    def test_the_servers_log_is_printed(self, run: Run, settings: Settings) -> None:
        settings.folder.log.write_text("line\n")
        assert run("logs").output == "line\n"

    def test_a_server_without_a_log_says_so(self, run: Run, settings: Settings) -> None:
        fails(run("logs"), "has no log")

    def test_the_log_of_a_job_that_runs_is_printed(self, run: Run, settings: Settings) -> None:
        Database(settings.folder.database).close()
        log = JobFolder(settings.folder.jobs / "j").log
        log.parent.mkdir(parents=True)
        log.write_bytes(b"so far \xff\n")
        assert run("logs", "j").output == "so far \ufffd\n"

    def test_the_log_of_a_job_that_has_ended_is_printed(self, run: Run, settings: Settings) -> None:
        database = Database(settings.folder.database)
        blobs = BlobStore(settings.folder.chunks, database, system_clock, random_ids)
        blobs.create_container("azureml")
        blobs.put_bytes("azureml", "ExperimentRun/dcid.j/user_logs/std_log.txt", b"fertig\n")
        database.close()
        assert run("logs", "j").output == "fertig\n"

    @pytest.mark.parametrize("ended", [False, True])
    def test_the_logs_of_a_distributed_job_are_printed_one_after_the_other(
        self, run: Run, settings: Settings, ended: bool
    ) -> None:
        database = Database(settings.folder.database)
        blobs = BlobStore(settings.folder.chunks, database, system_clock, random_ids)
        blobs.create_container("azureml")
        folder = JobFolder(settings.folder.jobs / "j")
        folder.logs.mkdir(parents=True)
        for name in ("std_log.txt", "std_log_process_0.txt", "std_log_process_1.txt"):
            if ended:
                blobs.put_bytes("azureml", f"ExperimentRun/dcid.j/user_logs/{name}", b"said\n")
            else:
                (folder.logs / name).write_text("said\n")
        database.close()
        assert run("logs", "j").output == (
            "==> std_log.txt <==\nsaid\n\n==> std_log_process_0.txt <==\nsaid\n\n==> std_log_process_1.txt <==\nsaid\n"
        )

    def test_the_log_of_a_batch_job_is_that_of_the_job_in_it(self, run: Run, settings: Settings) -> None:
        database = Database(settings.folder.database)
        Documents(database).put("job", "batchjob-1", {"properties": {"properties": {STEP: "step"}}})
        database.close()
        log = JobFolder(settings.folder.jobs / "step").log
        log.parent.mkdir(parents=True)
        log.write_text("scored\n")
        assert run("logs", "batchjob-1").output == "scored\n"

    @pytest.mark.parametrize("job", ["missing", "../../etc/passwd"])
    def test_a_job_without_a_log_is_named(self, run: Run, settings: Settings, job: str) -> None:
        database = Database(settings.folder.database)
        BlobStore(settings.folder.chunks, database, system_clock, random_ids).create_container("azureml")
        database.close()
        fails(run("logs", job), f"Job {job} has no log")

    def test_a_workspace_that_was_never_made_is_named(self, run: Run) -> None:
        fails(run("logs", "j"), "There is no workspace in")


class TestReset:
    def test_a_workspace_is_removed(self, run: Run, settings: Settings) -> None:
        assert run("reset", "--yes").output == "Workspace local is gone.\n"
        assert not settings.folder.root.exists()

    def test_one_that_runs_is_stopped_first(self, run: Run, running: RunningServer) -> None:
        assert run("reset", "--yes").exit_code == 0
        assert not running.folder.root.exists()

    def test_it_is_asked_about(self, run: Run, settings: Settings) -> None:
        result = run("reset", input="n\n")
        assert result.exit_code == 1
        assert "Nothing was removed." in result.stderr
        assert settings.folder.identity.exists()

    def test_a_yes_is_taken(self, run: Run, settings: Settings) -> None:
        assert "is gone" in run("reset", input="y\n").output

    def test_a_damaged_workspace_can_be_removed(self, run: Run, settings: Settings) -> None:
        settings.folder.identity.write_text("{")
        settings.folder.secrets.write_text("{")
        assert run("reset", "--yes").exit_code == 0

    def test_one_that_is_not_there_is_named(self, run: Run) -> None:
        fails(run("reset", "--yes"), "There is no workspace local in")


class TestErrors:
    def test_debug_shows_the_traceback(self, run: Run) -> None:
        result = run("--debug", "env")
        assert isinstance(result.exception, AmlocalError)
        assert result.exc_info

    def test_a_reader_who_has_seen_enough_is_no_error(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def leave(_: str) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        monkeypatch.setattr(cli, "_say", leave)
        assert "amlocal: " not in run("status").output

    def test_the_module_runs_like_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["amlocal", "--help"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0


class TestEncodings:
    """A root and a log that hold what a terminal cannot show; `amlocal` as the process that it is."""

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
    @pytest.mark.parametrize(
        "arguments",
        [("status",), ("logs",), ("logs", "jö"), ("env",), ("reset",), ("exec", "--", "no-such-ö"), ("down",)],
        ids=" ".join,
    )
    def test_a_command_prints_in_any_encoding(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, arguments: tuple[str, ...]
    ) -> None:
        settings = Settings(root=tmp_path / "日本 ö")
        settings.folder.create()
        state.prepare(settings, {})
        settings.folder.log.write_text("loaded ✓\n", encoding="utf-8")
        streams = {name: io.TextIOWrapper(io.BytesIO(), encoding=encoding) for name in ("stdout", "stderr")}
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
        monkeypatch.setattr(sys, "argv", ["amlocal", *arguments])
        monkeypatch.setenv("AMLOCAL_ROOT", str(settings.root))
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        with pytest.raises(SystemExit):
            cli.main()
        for stream in streams.values():
            stream.flush()
            stream.buffer.getvalue().decode(encoding)

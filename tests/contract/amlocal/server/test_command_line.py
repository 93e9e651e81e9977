"""What a shell makes of the command line's output, and what it does with a port."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amlocal import cli, server, state
from amlocal.launcher import RunningServer
from amlocal.settings import Settings
from tests.unit.amlocal.server.test_command_line import ORIGIN, Run, fails


class TestHelp:
    def test_help_does_not_load_the_server(self) -> None:
        probe = (
            "import sys; sys.argv = ['amlocal', '--help']\n"
            "import amlocal.cli\n"
            "try: amlocal.cli.main()\n"
            "except SystemExit: pass\n"
            "heavy = {'uvicorn', 'cryptography', 'jwt', 'yaml', 'mlflow', 'starlette', 'amlocal.assembly'}\n"
            "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", probe], check=True, stdout=subprocess.DEVNULL)


class TestUp:
    def test_a_port_in_use_is_refused(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "configure_log", lambda _: None)
        with socket.create_server(("127.0.0.1", 0)) as other:
            fails(run("up", "--port", str(other.getsockname()[1])), "is in use")

    @pytest.mark.parametrize("name", ["identity.json", "secrets.json"])
    def test_a_damaged_folder_is_named(
        self, run: Run, settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "configure_log", lambda _: None)
        (settings.folder.root / name).write_text("{")
        if name == "secrets.json":
            settings.folder.bundle.unlink()
        fails(run("up"), f"{name} is damaged")


class TestEnv:
    def test_a_shell_reads_the_variables_back(self, run: Run, running: RunningServer) -> None:
        script = f'{run("env").output}\nprintf "%s" "$IDENTITY_ENDPOINT"'
        shown = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout
        assert shown == f"{ORIGIN}/msi/token"


class TestEncodings:
    def test_the_script_for_a_shell_has_a_paths_own_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = Settings(root=tmp_path / "日本 ö'")
        settings.folder.create()
        state.prepare(settings, {})
        state.write_server(settings.folder, ORIGIN)
        with state.acquire(settings.folder):
            result = CliRunner(charset="ascii").invoke(cli.app, ["env", "--root", str(settings.root)])
        script = result.stdout_bytes + b'printf %s "$REQUESTS_CA_BUNDLE"'
        assert subprocess.check_output(["bash", "-c", script], env={}) == os.fsencode(settings.folder.bundle)

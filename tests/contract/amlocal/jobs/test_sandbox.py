"""Programs sandboxed from the workspace's files, by each method that this machine has: real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amlocal.core.paths import WorkspaceFolder
from amlocal.jobs import process, sandbox
from amlocal.jobs.process import Sandbox

SANDBOX = (sys.executable, "-I", "-S", sandbox.__file__)


def tried(method: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*SANDBOX, f"--method={method}", f"--hide={folder}", "--"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(params=[sandbox.NAMESPACE, sandbox.LANDLOCK])
def method(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A method to confine programs; what this machine does not have is skipped, with its reason."""
    result = tried(request.param, tmp_path)
    if result.stdout.strip() != request.param:
        pytest.skip(f"no {request.param} here: {result.stderr.strip() or 'the kernel has none'}")
    return str(request.param)


@pytest.fixture
def workspaces(tmp_path: Path) -> Path:
    """Two workspaces beside each other, a job in each."""
    root = tmp_path / "root"
    for name in ("mine", "yours"):
        folder = WorkspaceFolder(root / name)
        folder.create()
        for job in ("a", "b"):
            (folder.jobs / job).mkdir()
            (folder.jobs / job / "file").write_text(f"of {job}")
        for secret in (folder.secrets, folder.identity, folder.database):
            secret.write_text("the-secret")
        folder.bundle.write_text("public roots")
    return root


def confined(workspaces: Path, method: str, script: str, cwd: str = "mine/jobs/a") -> subprocess.CompletedProcess[str]:
    mine = workspaces / "mine"
    hidden = [f"--hide={workspaces / name}" for name in ("mine", "yours")]
    allowed = [f"--allow={path}" for path in (mine / "jobs" / "a", mine / "ca-bundle.pem")]
    command = [*SANDBOX, f"--method={method}", *hidden, *allowed, "--", "/bin/bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=workspaces / cwd)


@pytest.mark.parametrize(
    "path",
    [
        "{root}/mine/secrets.json",
        "{root}/yours/secrets.json",
        "{root}/mine/workspace.db",
        "{root}/mine/jobs/b/file",
        "../../secrets.json",
        "../b/file",
        "link/secrets.json",
        "/proc/self/cwd/../../secrets.json",
        "/proc/{parent}/root{root}/mine/secrets.json",
        "/proc/{parent}/cwd/secrets.json",
    ],
)
def test_what_is_not_its_own_cannot_be_read(workspaces: Path, method: str, path: str) -> None:
    (workspaces / "mine" / "jobs" / "a" / "link").symlink_to(workspaces / "mine")
    found = confined(workspaces, method, f"cat {path.format(root=workspaces, parent=os.getpid())}")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("cat: ")


@pytest.mark.parametrize(
    "command", ["ls {0}/mine/jobs/b", "ls ../b", "echo x > ../b/file", "rm -r ../b", "mv file ../b/"]
)
def test_another_jobs_folder_is_neither_listed_nor_changed(workspaces: Path, method: str, command: str) -> None:
    assert confined(workspaces, method, command.format(workspaces)).returncode != 0
    assert (workspaces / "mine" / "jobs" / "b" / "file").read_text() == "of b"


def test_its_own_folder_is_as_free_as_ever(workspaces: Path, method: str) -> None:
    script = (
        "pwd && cat file && mkdir d && echo new > d/x && mv d/x y && ln y z && rm y && ls && cat ../../ca-bundle.pem"
    )
    found = confined(workspaces, method, script)
    assert found.stderr == ""
    assert found.stdout == f"{workspaces}/mine/jobs/a\nof ad\nfile\nz\npublic roots"
    assert (workspaces / "mine" / "jobs" / "a" / "z").read_text() == "new\n"


def test_the_rest_of_the_machine_is_there(workspaces: Path, method: str, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    found = confined(
        workspaces, method, f"{sys.executable} -c 'import json' && echo x > {beside}/x && ls /usr >/dev/null"
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert (beside / "x").exists()


@pytest.mark.parametrize("file", ["environ", "mem", "fd/0"])
def test_the_servers_process_is_shut(workspaces: Path, method: str, file: str) -> None:
    found = confined(workspaces, method, f"head -c 1 /proc/{os.getpid()}/{file}")
    assert (found.returncode, found.stdout) == (1, "")


def test_nothing_can_be_unmounted_from_above_what_is_hidden(workspaces: Path, method: str) -> None:
    found = confined(
        workspaces, method, f"umount {workspaces}/mine; unshare -m true; cat {workspaces}/mine/secrets.json"
    )
    assert found.stdout == ""


@pytest.mark.skipif(sandbox.landlock_version() < 6, reason="signals are kept in by Landlock 6 (Linux 6.12)")
def test_signals_stay_inside(workspaces: Path, method: str) -> None:
    assert confined(workspaces, method, f"kill -0 {os.getpid()}").returncode == 1
    assert confined(workspaces, method, "sleep 60 & kill $! && ! wait $!").returncode == 0


def test_a_missing_command_is_named(workspaces: Path, method: str) -> None:
    command = [*SANDBOX, f"--method={method}", "--", "/no/such/program"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert "/no/such/program" in found.stderr


def test_a_method_that_fails_starts_nothing(tmp_path: Path) -> None:
    found = tried(sandbox.NAMESPACE, tmp_path / "missing")
    assert found.returncode == 1
    assert "cannot be sandboxed" in found.stderr


def test_a_workspace_hides_itself_and_those_beside_it(workspaces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "sandbox_method", lambda: sandbox.LANDLOCK)
    mine = WorkspaceFolder(workspaces / "mine")
    words = Sandbox(mine, (mine.jobs / "a", mine.jobs / "gone")).wrap(["program", "argument"])
    assert [word for word in words if word.startswith("--hide=")] == [
        f"--hide={workspaces}/mine",
        f"--hide={workspaces}/yours",
    ]
    assert f"--allow={mine.jobs}/a" in words
    assert f"--allow={mine.jobs}/gone" not in words
    assert words[-3:] == ("--", "program", "argument")


def test_without_a_sandbox_the_program_runs_and_a_warning_is_given(
    workspaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "sandbox_method", lambda: sandbox.NO_SANDBOX)
    assert Sandbox(WorkspaceFolder(workspaces / "mine"), ()).wrap(["program"]) == ("program",)
    message = process.sandbox_warning()
    assert message is not None
    assert "can read this workspace's own files" in message


@pytest.mark.parametrize(("method", "own"), [(sandbox.LANDLOCK, True), (sandbox.NAMESPACE, False)])
def test_temporary_files_go_where_they_can(
    workspaces: Path, monkeypatch: pytest.MonkeyPatch, method: str, own: bool
) -> None:
    monkeypatch.setattr(process, "sandbox_method", lambda: method)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(workspaces.parent))
    temporary = workspaces / "mine" / "jobs" / "a" / "tmp"
    assert Sandbox(WorkspaceFolder(workspaces / "mine"), ()).environ(temporary) == (
        {"TMPDIR": str(temporary)} if own else {}
    )
    assert temporary.is_dir() == own


def test_the_method_is_found_once(tmp_path: Path) -> None:
    code = "import json; from amlocal.jobs.process import sandbox_method as m; print(json.dumps([m(), m()]))"
    found = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert found[0] == found[1]
    assert found[0] in (sandbox.NAMESPACE, sandbox.LANDLOCK, sandbox.NO_SANDBOX)

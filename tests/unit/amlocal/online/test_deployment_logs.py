from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online import deployment_logs
from amlocal.online.deployment_logs import DeploymentLog

LINES = st.lists(st.text("abc é", max_size=20), max_size=20)


@pytest.fixture
def log(tmp_path: Path) -> DeploymentLog:
    return DeploymentLog(tmp_path / "ep" / "blue" / "log.txt")


@given(lines=LINES, wanted=st.integers(0, 25))
def test_the_tail_is_the_last_lines(tmp_path_factory: pytest.TempPathFactory, lines: list[str], wanted: int) -> None:
    log = DeploymentLog(tmp_path_factory.mktemp("log") / "log.txt")
    for line in lines:
        log.add(f"{line}\n".encode())
    assert log.tail(wanted) == "\n".join(lines[-wanted:] if wanted else [])


@given(sizes=st.lists(st.integers(1, 400), max_size=40))
def test_however_much_is_printed_a_log_stays_small_and_keeps_the_end(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = DeploymentLog(folder / "log.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment_logs, "LIMIT_BYTES", 1000)
        for number, size in enumerate(sizes):
            log.add(f"{number:>{size}}\n".encode())
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 2 * (1000 + 401)
    kept = [int(line) for line in log.tail(10_000).split()]
    assert kept == list(range(len(sizes) - len(kept), len(sizes)))
    assert bool(kept) == bool(sizes)


def test_the_tail_is_at_most_a_megabyte(log: DeploymentLog) -> None:
    log.add(b"x" * 3_000_000)
    assert len(log.tail(1)) == 2**20


def test_a_line_of_amlocals_own_says_so_and_when(log: DeploymentLog) -> None:
    log.say("Serving.", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert log.tail(1) == "[amlocal 2026-01-02 03:04:05] Serving."


def test_there_is_no_tail_without_a_log(log: DeploymentLog) -> None:
    assert log.tail(5) == ""


def test_a_log_that_is_removed_is_empty(log: DeploymentLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_logs, "LIMIT_BYTES", 1)
    log.add(b"one\n")
    log.add(b"two\n")
    log.remove()
    assert log.tail(5) == ""
    assert list(log.path.parent.iterdir()) == []


def test_what_does_not_fit_on_the_disk_is_lost_and_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "ep").write_text("a file where the folder should be: what a full disk does, for any user")
    log = DeploymentLog(tmp_path / "ep" / "log.txt")
    log.add(b"lost")
    assert not log.path.exists()

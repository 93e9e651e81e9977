import socket
from pathlib import Path

import pytest

from amlocal.core.errors import AmlocalError
from amlocal.server import HOST, listen
from amlocal.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Settings(root=tmp_path).folder.create()
    return tmp_path


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def port_of(settings: Settings) -> int:
    with listen(settings) as listener:
        host, port = listener.getsockname()
    assert host == "127.0.0.1"
    return int(port)


def remember(root: Path, text: str) -> Settings:
    settings = Settings(root=root)
    (settings.folder.root / "port").write_text(text)
    return settings


def test_the_port_asked_for_is_taken(root: Path) -> None:
    port = free_port()
    assert port_of(Settings(root=root, port=port)) == port


def test_a_port_in_use_is_named_with_the_way_out(root: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AmlocalError, match=rf"Port {port} is in use.*--port"):
            listen(Settings(root=root, port=port))


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_does_not_exist_is_refused(root: Path, port: int) -> None:
    with pytest.raises(AmlocalError, match="There is no port"):
        listen(Settings(root=root, port=port))


def test_another_reason_is_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(AmlocalError, match=r"Port 80 cannot be opened: Permission denied\."):
        listen(Settings(root=root, port=80))


def test_the_last_port_is_taken_again(root: Path) -> None:
    port = free_port()
    assert port_of(remember(root, f"{port}\n")) == port


def test_a_last_port_that_is_taken_by_now_is_given_up(root: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        assert port_of(remember(root, str(taken))) not in (0, taken)


@pytest.mark.parametrize("text", ["", "nonsense", "-1", "99999999"])
def test_a_last_port_that_is_none_is_no_obstacle(root: Path, text: str) -> None:
    assert port_of(remember(root, text)) > 0


def test_without_a_last_port_any_is_taken(root: Path) -> None:
    assert port_of(Settings(root=root)) > 0

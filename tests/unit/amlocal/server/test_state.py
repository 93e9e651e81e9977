import fcntl
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from amlocal import state
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder
from amlocal.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION, Settings

Damage = Callable[[dict[str, object]], object]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(root=tmp_path)
    settings.folder.create()
    return settings


@pytest.fixture
def folder(settings: Settings) -> WorkspaceFolder:
    return settings.folder


def test_a_folder_is_locked_as_long_as_the_lock_is_open(folder: WorkspaceFolder) -> None:
    assert not state.is_locked(folder)
    with state.acquire(folder):
        assert state.is_locked(folder)
    assert not state.is_locked(folder)


def test_a_folder_that_is_not_there_is_not_locked(tmp_path: Path) -> None:
    assert not state.is_locked(WorkspaceFolder(tmp_path / "nowhere"))


def test_who_looks_does_not_disturb_others_who_look(folder: WorkspaceFolder) -> None:
    state.acquire(folder).close()
    with folder.lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not state.is_locked(folder)


def test_a_second_server_is_told_where_the_first_one_is(folder: WorkspaceFolder) -> None:
    state.write_server(folder, "https://127.0.0.1:1")
    with (
        state.acquire(folder),
        pytest.raises(state.WorkspaceInUse, match=rf"process {os.getpid()}, https://127\.0\.0\.1:1"),
    ):
        state.acquire(folder)


def test_a_second_server_is_told_that_the_first_one_is_just_starting(folder: WorkspaceFolder) -> None:
    with state.acquire(folder), pytest.raises(state.WorkspaceInUse, match="just starting"):
        state.acquire(folder)


def test_what_a_server_says_about_itself_is_read_back_and_private(folder: WorkspaceFolder) -> None:
    state.write_server(folder, "https://127.0.0.1:1")
    assert state.read_server(folder) == state.ServerInfo(os.getpid(), "https://127.0.0.1:1")
    assert stat.S_IMODE(folder.server.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"pid": "x", "origin": "o"}', "null"])
def test_a_server_that_says_nothing_sensible_is_none(folder: WorkspaceFolder, content: str | None) -> None:
    if content is not None:
        folder.server.write_text(content)
    assert state.read_server(folder) is None


def test_one_at_a_time_finds_out_whether_to_start(folder: WorkspaceFolder) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait(10)
        with state.starting(folder):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with state.starting(folder):
        inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_new_workspace_has_the_names_asked_for_and_keeps_its_guid(settings: Settings) -> None:
    named = Settings(root=settings.root, resource_group="rg", subscription="sub")
    identity, created = state.open_identity(named)
    assert (identity.subscription, identity.resource_group, identity.name) == ("sub", "rg", "local")
    assert state.open_identity(named) == (identity, created)


def test_a_new_workspace_without_names_has_the_default_ones(settings: Settings) -> None:
    identity, _ = state.open_identity(settings)
    assert (identity.subscription, identity.resource_group) == (DEFAULT_SUBSCRIPTION, DEFAULT_GROUP)


def test_two_workspaces_have_different_guids(settings: Settings) -> None:
    other = Settings(root=settings.root, workspace="other")
    other.folder.create()
    assert state.open_identity(settings)[0].guid != state.open_identity(other)[0].guid


def test_who_names_no_group_takes_that_of_the_folder(settings: Settings) -> None:
    state.open_identity(Settings(root=settings.root, resource_group="rg"))
    assert state.open_identity(settings)[0].resource_group == "rg"


def test_names_know_no_case(settings: Settings) -> None:
    state.open_identity(Settings(root=settings.root, resource_group="RG"))
    assert state.open_identity(Settings(root=settings.root, resource_group="rg"))[0].resource_group == "RG"


@pytest.mark.parametrize("key", ["resource_group", "subscription"])
def test_a_folder_of_another_workspace_is_refused_with_the_way_out(settings: Settings, key: str) -> None:
    state.open_identity(settings)
    other = Settings(root=settings.root, **{key: "elsewhere"})  # type: ignore[arg-type]  # a text either way
    with pytest.raises(AmlocalError, match=rf"{key} .* not 'elsewhere'.*--root"):
        state.open_identity(other)


def test_a_folder_without_a_workspace_says_so(folder: WorkspaceFolder) -> None:
    with pytest.raises(AmlocalError, match="There is no workspace in"):
        state.read_identity(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: [],
        lambda _: None,
        lambda _: "text",
        lambda content: content | {"guid": 7},
        lambda content: content | {"name": ""},
        lambda content: content | {"more": "x"},
        lambda content: {key: value for key, value in content.items() if key != "created"},
    ],
    ids=range(7),
)
def test_a_damaged_identity_is_named_and_left_as_it_is(settings: Settings, damage: Damage) -> None:
    state.open_identity(settings)
    path = settings.folder.identity
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    before = path.read_text()
    with pytest.raises(AmlocalError, match=r"identity\.json is damaged.*amlocal reset"):
        state.open_identity(settings)
    assert path.read_text() == before


def test_a_prepared_folder_has_all_that_a_server_needs(settings: Settings) -> None:
    identity, _ = state.prepare(settings, {})
    assert settings.folder.certificate.exists()
    assert settings.folder.bundle.exists()
    assert state.read_identity(settings.folder)[0] == identity

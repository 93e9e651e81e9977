from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import AmlocalError
from amlocal.settings import Settings

SETTINGS = st.builds(
    Settings,
    root=st.just(Path("/some/where")) | st.just(Path("relative")),
    workspace=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,20}", fullmatch=True),
    resource_group=st.none() | st.text(min_size=1),
    subscription=st.none() | st.text(min_size=1),
    port=st.integers(0, 65535),
    strict_environments=st.booleans(),
    lenient=st.booleans(),
)


@given(SETTINGS)
def test_settings_reach_another_process_as_they_are(settings: Settings) -> None:
    assert Settings.from_json(settings.to_json()) == settings


def test_each_workspace_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert Settings(root=tmp_path, workspace="dev").folder.root == tmp_path / "dev"


def test_the_folder_does_not_move_with_the_current_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().folder.root == tmp_path / ".amlocal" / "local"


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "/etc", "-x", "ü", "a b", "x" * 256])
def test_a_name_that_would_leave_the_root_or_that_azure_refuses_is_refused(name: str) -> None:
    with pytest.raises(AmlocalError, match="workspace name"):
        Settings(workspace=name)

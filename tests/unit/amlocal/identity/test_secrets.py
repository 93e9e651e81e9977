import base64
import json
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from amlocal.core.errors import AmlocalError
from amlocal.identity.secrets import load_secrets


def test_secrets_are_made_once(tmp_path: Path) -> None:
    assert load_secrets(tmp_path / "secrets.json") == load_secrets(tmp_path / "secrets.json")


def test_two_workspaces_have_different_secrets(tmp_path: Path) -> None:
    one, other = load_secrets(tmp_path / "one"), load_secrets(tmp_path / "other")
    assert not set(asdict(one).values()) & set(asdict(other).values())


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    load_secrets(tmp_path / "secrets.json")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_no_text_of_the_secrets_shows_one(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path / "secrets.json")
    shown = f"{secrets!r} {secrets}"
    assert not [value for value in asdict(secrets).values() if value in shown]


def test_the_storage_key_is_base64_as_azures_are(tmp_path: Path) -> None:
    assert len(base64.b64decode(load_secrets(tmp_path / "secrets.json").storage, validate=True)) == 64


WHOLE = {"identity": "i", "signing": "s", "storage": "k"}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "7", "{}",
        json.dumps({"identity": "i", "signing": "s"}),
        json.dumps(WHOLE | {"storage": 7}),
        json.dumps(WHOLE | {"identity": ""}),
        json.dumps(WHOLE | {"more": "x"}),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    with pytest.raises(AmlocalError, match=r"secrets\.json is damaged.*amlocal reset"):
        load_secrets(path)
    assert path.read_text() == content


def test_the_message_about_a_damaged_file_shows_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"identity": "hidden-text", "signing": 7}))
    with pytest.raises(AmlocalError) as caught:
        load_secrets(path)
    assert "hidden-text" not in str(caught.value)


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(AmlocalError, match="is damaged"):
        load_secrets(path)

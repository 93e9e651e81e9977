"""The workspace's secrets: made once, kept in one file of mode 0600."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from amlocal.core.paths import read_texts, write_private


def _token() -> str:
    return secrets.token_urlsafe(32)


def _storage_key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of one workspace. `repr` shows none of them."""

    identity: str = field(default_factory=_token, repr=False)  # X-IDENTITY-HEADER
    signing: str = field(default_factory=_token, repr=False)  # signs tokens
    storage: str = field(default_factory=_storage_key, repr=False)  # the storage account's key


def load_secrets(path: Path) -> Secrets:
    """Return the secrets kept at `path`, made on first use. Raises `AmlocalError` when the file is damaged."""
    if not path.exists():
        write_private(path, json.dumps(asdict(Secrets())).encode())
    return Secrets(**read_texts(path, [field.name for field in fields(Secrets)]))

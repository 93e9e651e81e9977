"""How a server is asked to run: where its state is, which port, how strict it is."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from amlocal.core.decoding import check_name
from amlocal.core.paths import WorkspaceFolder

DEFAULT_ROOT = Path(".amlocal")
DEFAULT_WORKSPACE = "local"
DEFAULT_GROUP = "amlocal"
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
LENIENT = "lenient: this workspace takes some of what Azure refuses; what works here may fail there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A server's settings. Raises `BadRequest` for a workspace name that Azure ML would not take.

    A resource group or subscription of None is the one that the folder has, or the default for a new folder. `port` 0
    takes the last one again when it is free, else any. `strict_environments` fails a job whose Python version is not
    installed. `lenient` serves what Azure refuses, where a local workspace can (docs/amlocal.md, "What Azure refuses").
    """

    root: Path = DEFAULT_ROOT
    workspace: str = DEFAULT_WORKSPACE
    resource_group: str | None = None
    subscription: str | None = None
    port: int = 0
    strict_environments: bool = False
    lenient: bool = False

    def __post_init__(self) -> None:
        check_name(self.workspace, "workspace name")

    def to_json(self) -> str:
        """Return the settings as text, for another process."""
        return json.dumps(asdict(self) | {"root": str(self.root)})

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Return what `to_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"root": Path(values["root"])})

    @property
    def folder(self) -> WorkspaceFolder:
        """The workspace's own folder."""
        return WorkspaceFolder((self.root / self.workspace).absolute())

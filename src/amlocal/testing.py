"""The local workspace for tests and programs: a context manager with a free port and a folder of its own."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amlocal.launcher import start, stop
from amlocal.settings import Settings

__all__ = ["LocalWorkspace", "local_workspace", "use"]


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """A workspace that is up: its names, and the environment variables that lead azure-ai-ml to it."""

    name: str
    resource_group: str
    subscription: str
    origin: str
    folder: Path
    environ: Mapping[str, str]


@contextmanager
def local_workspace(root: Path | None = None, **settings: object) -> Iterator[LocalWorkspace]:
    """Start a workspace, yield it, stop it.

    Without `root` its folder is temporary and goes with it. `settings` are those of `amlocal.settings.Settings`
    (`workspace`, `resource_group`, `subscription`, `port`, `strict_environments`, `lenient`). The
    environment of this process is not changed: see `use`. Raises `AmlocalError` when the server does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="amlocal-", ignore_cleanup_errors=True) as temporary:
        chosen = Settings(root=root or Path(temporary), **settings)  # type: ignore[arg-type]  # checked by Settings
        running = start(chosen)
        try:
            yield LocalWorkspace(
                name=running.identity.name,
                resource_group=running.identity.resource_group,
                subscription=running.identity.subscription,
                origin=running.origin,
                folder=chosen.folder.root,
                environ=running.environ(),
            )
        finally:
            stop(running)


@contextmanager
def use(workspace: LocalWorkspace) -> Iterator[LocalWorkspace]:
    """Lead this process to a workspace for as long as the block lasts.

    azure-ai-ml reads some of the variables when it is imported (the pace of `jobs.stream`), so enter before that.
    """
    before = {name: os.environ.get(name) for name in workspace.environ}
    os.environ.update(workspace.environ)
    try:
        yield workspace
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

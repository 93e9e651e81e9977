"""The command `build`: one archive, and its checksum beside it."""

import os
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.build.project import make
from mlgates.cli.session import Session
from mlgates.core.checkout import source_state


def build(session: Session, output: Path) -> None:
    """Make the archive."""
    project = session.settings.project
    made = make(project, source_state(project.root, os.environ), output)
    note_checksum(made)
    session.say(made.summary)
    session.say(f"build  {made.file}")
    session.say(f"sha256 {made.sha256}")


def note_checksum(build: Build) -> Path:
    """Write the checksum beside the archive, in the form that `sha256sum --check` reads; return that file."""
    file = build.file.with_name(f"{build.file.name}.sha256")
    file.write_text(f"{build.sha256}  {build.file.name}\n", encoding="utf-8")
    return file

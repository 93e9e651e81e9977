"""Which builds dev has passed: its gate record lies beside the archive, and names it by its checksum."""

import json
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.core.errors import BuildRefused
from mlgates.core.files import write_whole
from mlgates.core.gates import GateRecord

GATE = "dev"


def note_passed(build: Build, record: GateRecord) -> Path:
    """Write the record of the dev gate beside the archive that it is about; return the file."""
    return write_whole(_beside(build.file), json.dumps(record.to_dict(), indent=1))


def check_passed(build: Build) -> GateRecord:
    """Return the record by which dev passed a build. Raises `BuildRefused` when there is none for just this archive."""
    file = _beside(build.file)
    if not file.is_file():
        raise BuildRefused(
            f"{build.file} has no {file.name} beside it: prod trains from what the dev pipeline has passed, "
            "run 'mlgates pipeline dev', and keep both files together"
        )
    try:
        record = GateRecord.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise BuildRefused(f"{file} is no record of a gate: run 'mlgates pipeline dev' again") from error
    if record.gate != GATE or not record.passed:
        raise BuildRefused(f"{file}: {record.summary}: prod trains only from what dev has passed")
    if record.commit != build.manifest.source.commit:
        raise BuildRefused(
            f"{build.file} is of commit {build.manifest.source.commit[:12]}, dev passed commit {record.commit[:12]}"
        )
    if record.build != build.sha256:
        raise BuildRefused(
            f"{build.file} was changed since dev passed it: its sha256 is {build.sha256[:12]}, dev passed "
            f"{(record.build or 'none')[:12]}"
        )
    return record


def _beside(archive: Path) -> Path:
    return archive.with_name(f"{archive.stem}.{GATE}-gate.json")

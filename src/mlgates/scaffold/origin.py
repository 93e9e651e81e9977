"""Where mlgates and amlocal came from, as pip recorded it (PEP 610): a made project gets them from the same place."""

import base64
import hashlib
import json
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlgates.core.errors import ConfigurationError
from mlgates.scaffold.pins import OURS

VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a distribution can be had again."""

    name: str
    requirement: str
    """As pip's requirements have it; empty when only an index may have it."""
    folder: Path | None = None
    """The sources, when they are on this machine."""
    editable: bool = False


def origins() -> list[Origin]:
    """Return where mlgates, and amlocal if it is installed apart from it, came from."""
    found = (origin_of(name) for name in OURS)
    return [each for each in found if each]


def origin_of(name: str) -> Origin | None:
    """Return where an installed distribution came from; None for one that is not installed."""
    try:
        told = distribution(name).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    return read_origin(name, json.loads(told)) if told else Origin(name, "")


def read_origin(name: str, told: dict[str, Any]) -> Origin:
    """Return what a `direct_url.json` says."""
    url = str(told["url"])
    folder = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    below = f"#subdirectory={told['subdirectory']}" if told.get("subdirectory") else ""
    if "vcs_info" in told:
        vcs = told["vcs_info"]
        return Origin(name, f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}{below}")
    if told.get("dir_info", {}).get("editable") and folder:
        return Origin(name, f"-e {folder}", folder, editable=True)
    return Origin(name, f"{name} @ {url}{below}", folder)


def vendor(into: Path) -> list[str]:
    """Put the wheels of mlgates and amlocal into `into`; return the requirements that name them there."""
    into.mkdir(parents=True, exist_ok=True)
    for origin in origins():
        for source in _sources(origin):
            _build(source, into)
        if origin.folder is None or origin.folder.is_file():
            _whole_wheel(origin, into)
    return [f"./{VENDOR}/{wheel.name}" for wheel in sorted(into.glob("*.whl"), reverse=True)]


def _sources(origin: Origin) -> list[Path]:
    """Return the folders to build: of a clone, which has all in one distribution, those of both wheels."""
    if origin.folder is None or not origin.folder.is_dir():
        return []
    parts = [origin.folder / "packaging" / name for name in OURS]
    return parts if all(part.is_dir() for part in parts) else [origin.folder]


def _build(source: Path, into: Path) -> None:
    from uv import find_uv_bin  # noqa: PLC0415 - only this needs it

    with tempfile.TemporaryDirectory() as scratch:
        command = [find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", scratch, str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our program
        if done.returncode:
            reason = " ".join(done.stderr.split())[-400:]
            raise ConfigurationError(f"--vendor: the wheel of {source} cannot be built: {reason}")
        for wheel in Path(scratch).glob("*.whl"):
            shutil.copy(wheel, into)


def _whole_wheel(origin: Origin, into: Path) -> None:
    if origin.folder is not None and origin.folder.suffix == ".whl" and origin.folder.is_file():
        shutil.copy(origin.folder, into)
    else:
        repack(distribution(origin.name), into)


def repack(installed: Distribution, into: Path) -> Path:
    """Return the wheel that a pure distribution was installed from, made again of its files."""
    name, release = installed.metadata["Name"], installed.version
    wheel = into / f"{name}-{release}-py3-none-any.whl"
    record = f"{name}-{release}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in installed.files or ():
            if not _of_the_wheel(str(file)):
                continue
            content = Path(str(file.locate())).read_bytes()
            archive.writestr(zipfile.ZipInfo(str(file), (2020, 2, 2, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{file},sha256={digest},{len(content)}\n")
        archive.writestr(record, "".join([*lines, f"{record},,\n"]))
    return wheel


def _of_the_wheel(file: str) -> bool:
    """Return whether a file was in the wheel: what an installer adds was not."""
    added = ("/RECORD", "/INSTALLER", "/REQUESTED", "/direct_url.json", "/uv_cache.json")
    return not (file.startswith("..") or file.endswith((".pyc", *added)))

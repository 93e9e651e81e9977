"""Which files of a folder a job gets: what azure-ai-ml would upload, .amlignore and .gitignore heeded."""

import shutil
from pathlib import Path
from typing import Any

from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder


def copy_snapshot(folder: Path, into: Path) -> Path:
    """Copy what a job would get of `folder`; return `into`, which must not be there yet."""
    found: list[Any] = get_upload_files_from_folder(folder, ignore_file=get_ignore_file(folder))
    into.mkdir(parents=True)
    for path, name in found:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return into

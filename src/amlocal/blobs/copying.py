"""Copies of files that share nothing with the original but, where the file system can, the blocks on disk."""

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL})
_AT_ONCE = 2**30  # bytes asked of the kernel in one call


def join_files(sources: Sequence[Path], target: Path) -> None:
    """Write the joined `sources` to `target`. What is there is replaced; a link is not followed."""
    try:
        _join_in_kernel(sources, target)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        _join(sources, target)


def _join_in_kernel(sources: Sequence[Path], target: Path) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "copy_file_range is Linux's")
    target.unlink(missing_ok=True)
    with target.open("xb", buffering=0) as out:
        for source in sources:
            with source.open("rb", buffering=0) as file:
                while os.copy_file_range(file.fileno(), out.fileno(), _AT_ONCE):
                    pass


def _join(sources: Sequence[Path], target: Path) -> None:
    target.unlink(missing_ok=True)
    with target.open("xb") as out:
        for source in sources:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, 2**20)

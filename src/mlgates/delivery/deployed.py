"""What an online deployment holds, as far as the workspace lets one see it.

A deployment fetches the model's files when it is made, and again with each new instance. What came there is told by the
log of its storage initializer: by amlocal with the sha256 of each file, by Azure without (as documented, only whether
the download went well).
"""

import json
import re
from pathlib import PurePosixPath

from azure.ai.ml import MLClient

from mlgates.core.errors import WorkspaceRefused
from mlgates.core.files import sha256_of_folder
from mlgates.delivery.refusals import translate_sdk_errors

_INITIALIZER = "storage-initializer"
_LINES = 100_000
_FETCHED = re.compile(r"Model \S+: (?P<count>\d+) files, ")
_FILE = re.compile(r'sha256 (?P<sha256>[0-9a-f]{64}) (?P<path>".*")$')


def deployed_checksum(client: MLClient, endpoint: str, deployment: str) -> str | None:
    """Return the checksum of the model in a deployment, as `content.checksum` gives it; None when it is not told."""
    try:
        with translate_sdk_errors(f"read what deployment {deployment} has fetched"):
            log = client.online_deployments.get_logs(deployment, endpoint, lines=_LINES, container_type=_INITIALIZER)
    except WorkspaceRefused:
        return None  # a log that the service does not give tells nothing
    return checksum_in(str(log))


def checksum_in(log: str) -> str | None:
    """Return the checksum of the model that was fetched last, None when the log does not list all its files."""
    lines = log.splitlines()
    starts = [(place, found) for place, line in enumerate(lines) if (found := _FETCHED.search(line))]
    if not starts:
        return None
    place, start = starts[-1]
    listed = [found for line in lines[place + 1 :] if (found := _FILE.search(line))]
    files = {str(json.loads(found["path"])): found["sha256"] for found in listed}
    models = sorted((PurePosixPath(path) for path in files if PurePosixPath(path).name == "MLmodel"), key=_depth)
    if len(files) != int(start["count"]) or not models:
        return None
    root = models[0].parent
    below = {path: sha256 for path, sha256 in files.items() if PurePosixPath(path).is_relative_to(root)}
    return sha256_of_folder({PurePosixPath(path).relative_to(root).as_posix(): each for path, each in below.items()})


def _depth(path: PurePosixPath) -> int:
    return len(path.parts)

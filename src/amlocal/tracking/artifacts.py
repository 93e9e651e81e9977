"""Runs' artifacts: their paths, their files as blobs, and MLflow's API for them (`mlflow-artifacts`).

On Azure the artifacts of the run R are the blobs `ExperimentRun/dcid.R/...` in the container `azureml`; so they are
here, and what MLflow logged is what `azureml://jobs/R/outputs/artifacts/paths/...` names. MLflow's clients ask for them
below the run's artifact URI, `EXPERIMENT/R/artifacts/...`. The workspace itself keeps, reads and lists them, with no
copy on MLflow's side.
"""

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from amlocal.blobs import Blob, BlobStore
from amlocal.blobs.listing import names_below
from amlocal.blobs.values import BlobProperties
from amlocal.core.errors import ApiError, NotFound
from amlocal.core.http import Call, Reply
from amlocal.tracking.errors import InvalidArtifactPath
from amlocal.tracking.protocol import CONTAINER

_RUN_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}", re.ASCII)  # mlflow.utils.validation
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")
_OCTETS = "application/octet-stream"
FindRun = Callable[[str], Awaitable[dict[str, Any]]]  # by id: MLflow's RunInfo; raises `ApiError`


@dataclass(frozen=True, slots=True)
class ArtifactPath:
    """A file or folder of a run; `path` is relative to the run's artifacts, "" for all of them."""

    run_id: str
    path: str

    @property
    def blob(self) -> str:
        """The name of the blob, or, with a slash behind it, what the names in the folder start with."""
        return f"ExperimentRun/dcid.{self.run_id}/{self.path}".rstrip("/")


def parse_artifact_path(text: str) -> ArtifactPath:
    """Return what `EXPERIMENT/RUN/artifacts/PATH` names. Raises `InvalidArtifactPath`.

    The owner is the segment before the first `artifacts`, so that experiments with a location of their own, and
    models and traces where the workspace takes them, find their place by the same rule.
    """
    segments = text.rstrip("/").split("/")
    if "artifacts" not in segments[1:]:
        raise InvalidArtifactPath(text, "it must be EXPERIMENT/RUN/artifacts/PATH")
    at = segments.index("artifacts", 1)
    return artifact_path(segments[at - 1], "/".join(segments[at + 1 :]))


def artifact_path(run_id: str, path: str) -> ArtifactPath:
    """Return the path within the run's artifacts. Raises `InvalidArtifactPath` when it would lead out of them."""
    if not _RUN_ID.fullmatch(run_id):
        raise InvalidArtifactPath(path, f"{run_id!r} is not a run id")
    path = path.rstrip("/")
    if reason := unsafe_path(path):
        raise InvalidArtifactPath(path, reason)
    return ArtifactPath(run_id, path)


def unsafe_path(path: str) -> str | None:
    """Return why a relative path may lead out of its folder, None when it does not."""
    if _FORBIDDEN.search(path):
        return "backslashes and control characters are refused"
    if path and {"", ".", ".."}.intersection(_decoded(path).split("/")):
        return "it must be relative, without empty, '.' and '..' segments"
    return None


def _decoded(path: str) -> str:
    """Undo percent-encoding however often it was applied: some client on the way back would."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return path


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """A file, or a folder when it has no size; `name` is relative to the folder that was listed."""

    name: str
    size: int | None

    def wire(self, folder: str) -> dict[str, Any]:
        """Return MLflow's FileInfo; `folder` is what its path is to start with."""
        info: dict[str, Any] = {"path": f"{folder}/{self.name}" if folder else self.name, "is_dir": self.size is None}
        return info if self.size is None else info | {"file_size": self.size}


def folder_entries(prefix: str, below: Iterable[Blob | str]) -> list[ArtifactEntry]:
    """Return what is directly in the folder with that prefix (which ends in a slash), of what is below it.

    A folder below it is a name that ends in a slash, or the blobs in it.
    """
    found: dict[str, int | None] = {}
    for one in below:
        path, size = (one, None) if isinstance(one, str) else (one.name, one.size)
        name, slash, _ = path[len(prefix) :].partition("/")
        if name:
            found[name] = None if slash else found.get(name, size)
    return [ArtifactEntry(name, size) for name, size in sorted(found.items())]


class Artifacts:
    """The artifacts of all runs."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def write(self, path: ArtifactPath, content: AsyncIterator[bytes], content_type: str) -> None:
        """Keep a file as it streams in; one of that name is replaced when all of it is there."""
        if not path.path:
            raise InvalidArtifactPath(path.path, "a file needs a name")
        with self._blobs.writer() as writer:
            async for piece in content:
                await asyncio.to_thread(writer.write, [piece])
            self._blobs.put(CONTAINER, path.blob, writer, BlobProperties(content_type))

    def find(self, path: ArtifactPath) -> Blob:
        """Return the file's blob. Raises `NotFound`."""
        if blob := self._blobs.get(CONTAINER, path.blob):
            return blob
        raise NotFound(f"The run {path.run_id} has no artifact {path.path!r}.")

    async def read(self, blob: Blob) -> AsyncIterator[bytes]:
        """Yield the file's bytes."""
        pieces = self._blobs.read(blob)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    def list(self, path: ArtifactPath) -> list[ArtifactEntry]:
        """Return what is directly in the folder; nothing for a file, or for a folder that is not there."""
        prefix = f"{path.blob}/"
        return folder_entries(prefix, names_below(self._blobs, CONTAINER, prefix))

    def delete(self, path: ArtifactPath) -> None:
        """Remove the file, or the folder with all that is in it."""
        self._blobs.delete(CONTAINER, path.blob)
        self._blobs.delete_tree(CONTAINER, path.blob)


class ArtifactRoutes:
    """Handlers of the artifact calls; all but `list_run` answer whether or not MLflow is up."""

    def __init__(self, artifacts: Artifacts, find_run: FindRun) -> None:
        self._artifacts = artifacts
        self._find_run = find_run

    async def upload(self, call: Call) -> Reply:
        """PUT `mlflow-artifacts/artifacts/{path}`: the body is the file."""
        path = parse_artifact_path(call.path["path"])
        await self._artifacts.write(path, call.stream(), call.headers.get("content-type", _OCTETS))
        return Reply(200, {})

    async def download(self, call: Call) -> Reply:
        """GET `mlflow-artifacts/artifacts/{path}`."""
        return self._file(parse_artifact_path(call.path["path"]))

    async def list(self, call: Call) -> Reply:
        """GET `mlflow-artifacts/artifacts?path=`: what is in a folder, by its names alone."""
        path = parse_artifact_path(call.query.get("path", ""))
        return Reply(200, {"files": [entry.wire("") for entry in self._artifacts.list(path)]})

    async def delete(self, call: Call) -> Reply:
        """DELETE `mlflow-artifacts/artifacts/{path}`: a file or a folder, never all of a run's: its log is there."""
        path = parse_artifact_path(call.path["path"])
        if not path.path:
            raise InvalidArtifactPath(call.path["path"], "name what is to be deleted below the run's artifacts")
        self._artifacts.delete(path)
        return Reply(200, {})

    async def list_run(self, call: Call) -> Reply:
        """GET `artifacts/list?run_id=&path=`: what is in a folder of a run, by its path within the run."""
        run = await self._find_run(_run_id(call))
        path = artifact_path(run["run_id"], call.query.get("path", ""))
        files = [entry.wire(path.path) for entry in self._artifacts.list(path)]
        return Reply(200, {"root_uri": run["artifact_uri"], "files": files})

    async def get_artifact(self, call: Call) -> Reply:
        """GET `get-artifact?run_id=&path=`: the file, for the browser."""
        return self._file(artifact_path(_run_id(call), call.query.get("path", "")))

    async def refuse_parts(self, call: Call) -> Reply:
        """Answer 501 to uploads in parts and to signed links; clients then send and read in one piece.

        An upload falls back when the message starts with these words (mlflow.exceptions,
        `_UnsupportedMultipartUploadException`), a download on 501.
        """
        message = "Multipart upload is not supported for the current artifact repository"
        raise ApiError(501, f"{message} (amlocal does not serve {call.method} {call.target}).")

    def _file(self, path: ArtifactPath) -> Reply:
        blob = self._artifacts.find(path)
        name = path.path.rpartition("/")[2]
        headers = {
            "Content-Length": str(blob.size),
            # Never shown as a page of the workspace's own: what a job logs may hold a script.
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        }
        return Reply(200, self._artifacts.read(blob), headers, media_type=mimetypes.guess_type(name)[0] or _OCTETS)


def _run_id(call: Call) -> str:
    """Return the run that is asked for; `run_uuid` is the parameter's old name, which the browser's pages send."""
    return call.query.get("run_id") or call.query.get("run_uuid", "")

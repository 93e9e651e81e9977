"""MLflow's artifact API (`mlflow-artifacts`, what clients use) and its twin for the browser, over the blob store."""

import mimetypes
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from amlocal.core.errors import ApiError
from amlocal.core.http import Call, Reply
from amlocal.tracking.artifact_paths import ArtifactPath, artifact_path, parse_artifact_path
from amlocal.tracking.artifacts import Artifacts
from amlocal.tracking.errors import InvalidArtifactPath

_OCTETS = "application/octet-stream"
FindRun = Callable[[str], Awaitable[dict[str, Any]]]  # by id: MLflow's RunInfo; raises `ApiError`


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

"""Where a run's artifacts are: MLflow's path of a file, and the name of the blob that holds it.

On Azure the artifacts of the run R are the blobs `ExperimentRun/dcid.R/...` in the container `azureml`; so they are
here, and what MLflow logged is what `azureml://jobs/R/outputs/artifacts/paths/...` names. MLflow's clients ask for them
below the run's artifact URI, `EXPERIMENT/R/artifacts/...`.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from amlocal.tracking.errors import InvalidArtifactPath

_RUN_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}", re.ASCII)  # mlflow.utils.validation
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")


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

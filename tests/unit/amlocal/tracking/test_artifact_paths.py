"""Which artifact paths are taken, and which blobs they name."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.tracking.artifact_paths import artifact_path, parse_artifact_path
from amlocal.tracking.errors import InvalidArtifactPath

RUN_IDS = st.from_regex(r"[a-zA-Z0-9][A-Za-z0-9_-]{0,40}", fullmatch=True)
NAMES = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\%"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(run=RUN_IDS, path=PATHS)
def test_a_path_below_a_run_names_the_blob_that_azure_keeps_it_in(run: str, path: str) -> None:
    assert parse_artifact_path(f"7/{run}/artifacts/{path}").blob == f"ExperimentRun/dcid.{run}/{path}"


@given(run=RUN_IDS, before=PATHS, after=PATHS, times=st.integers(0, 3), dots=st.sampled_from([".", ".."]))
def test_no_encoding_of_dots_leaves_the_run(run: str, before: str, after: str, times: int, dots: str) -> None:
    for _ in range(times):
        dots = quote(dots.replace(".", "%2e"), safe="")
    with pytest.raises(InvalidArtifactPath):
        artifact_path(run, f"{before}/{dots}/{after}")


@given(run=RUN_IDS, path=st.text(max_size=20))
def test_whatever_is_taken_stays_below_its_run(run: str, path: str) -> None:
    try:
        taken = artifact_path(run, path)
    except InvalidArtifactPath:
        return
    assert f"{taken.blob}/".startswith(f"ExperimentRun/dcid.{run}/")


@pytest.mark.parametrize("path", ["/etc/passwd", "a//b", "a\\b", "a\0b", "a\nb", "%2Fetc", "a/%2e%2e/b"])
def test_paths_that_could_mean_another_place_are_refused(path: str) -> None:
    with pytest.raises(InvalidArtifactPath, match="Invalid artifact path"):
        artifact_path("run", path)


@pytest.mark.parametrize("text", ["", "7", "7/run", "artifacts/x", "7/run/files/x", "7/../artifacts/x", "7//artifacts"])
def test_a_text_that_names_no_run_is_refused(text: str) -> None:
    with pytest.raises(InvalidArtifactPath):
        parse_artifact_path(text)


def test_all_of_a_runs_artifacts_are_its_folder() -> None:
    path = parse_artifact_path("7/run/artifacts/")
    assert (path.run_id, path.path, path.blob) == ("run", "", "ExperimentRun/dcid.run")


def test_the_owner_stands_before_the_first_artifacts() -> None:
    path = parse_artifact_path("team/7/run/artifacts/artifacts/x")
    assert (path.run_id, path.path) == ("run", "artifacts/x")

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.amlocal.jobs.routes_client import JobRoutesClient
from tests.unit.amlocal.jobs.workspace import JobWorkspace, open_job_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[JobWorkspace]:
    with open_job_workspace(tmp_path / "workspace") as workspace:
        yield workspace


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobWorkspace]:
    """One workspace for all examples of a property, which are content with what others left."""
    with open_job_workspace(tmp_path_factory.mktemp("shared")) as workspace:
        yield workspace


@pytest.fixture
def api(workspace: JobWorkspace) -> Iterator[JobRoutesClient]:
    api = JobRoutesClient(workspace)
    yield api
    api.close()

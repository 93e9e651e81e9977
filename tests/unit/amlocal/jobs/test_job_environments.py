import threading
from typing import Any

import pytest

from amlocal.core.errors import AmlocalError, NotFound
from amlocal.jobs.environments import JobEnvironments
from amlocal.jobs.failure import JobFailure
from amlocal.runtimes import Runtime
from tests.unit.amlocal.jobs.desk import ENVIRONMENT, Desk


class Environments:
    """A job's environment, and what is said of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.said: list[str] = []

    def prepare(self, reference: str) -> Runtime:
        environments = JobEnvironments(
            self.desk.stores.lookup(), self.desk.blobs, cache=self.desk.folder.environments, strict=False
        )
        layer = self.desk.job_folder().layer
        return environments.prepare(reference, layer, self.said.append, threading.Event())

    def put(self, **properties: Any) -> str:
        self.desk.stores.environments.put("train", "1", properties)
        return f"{self.desk.context.arm}/environments/train/versions/1"


@pytest.fixture
def environments(desk: Desk) -> Environments:
    return Environments(desk)


def test_a_curated_environment_is_a_layer_over_the_current_interpreter(environments: Environments) -> None:
    runtime = environments.prepare(ENVIRONMENT)
    assert runtime.prefix == environments.desk.folder.jobs / "job" / "layer"
    assert runtime.python.exists()
    assert "curated environment" in environments.said[0]


def test_an_environment_that_only_names_an_image_says_what_it_runs_on(environments: Environments) -> None:
    environments.prepare(environments.put(image="example.org/base:1"))
    assert "example.org/base:1" in environments.said[0]


def test_what_a_conda_file_asks_for_is_looked_at(environments: Environments) -> None:
    conda = "dependencies: [python, pip, {pip: [pytest>=7]}]"
    assert environments.prepare(environments.put(image="i", condaFile=conda)).python.exists()


def test_a_conda_file_that_cannot_be_read_is_a_clear_failure(environments: Environments) -> None:
    with pytest.raises(AmlocalError):
        environments.prepare(environments.put(image="i", condaFile="dependencies: {a: b}"))


def test_a_build_context_is_read_from_where_it_was_uploaded(environments: Environments) -> None:
    environments.desk.put_data("ctx/Dockerfile", b"FROM example.org/base:2\n")
    place = "azureml://datastores/workspaceblobstore/paths/ctx/"
    environments.prepare(environments.put(build={"contextUri": place, "dockerfilePath": "Dockerfile"}))
    assert "example.org/base:2" in environments.said[0]


@pytest.mark.parametrize(
    "place", ["azureml://datastores/workspaceblobstore/paths/gone/", "https://example.org/context/"]
)
def test_a_build_context_that_is_not_there_is_a_clear_failure(environments: Environments, place: str) -> None:
    reference = environments.put(build={"contextUri": place, "dockerfilePath": "Dockerfile"})
    with pytest.raises(JobFailure, match="The build context of environment train:1 is not there"):
        environments.prepare(reference)


def test_an_environment_that_is_gone_is_not_found(environments: Environments) -> None:
    with pytest.raises(NotFound):
        environments.prepare("azureml:train:1")

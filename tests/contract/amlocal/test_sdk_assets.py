"""Assets through the unmodified azure-ai-ml: environments, data, models, code snapshots."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from amlocal.testing import LocalWorkspace
from tests.contract.amlocal.sdk import Code, MLClient, client_of, entities

CONDA = {"name": "x", "channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["numpy", "größe-𐀀"]}]}


@pytest.fixture(scope="module")
def client(amlocal_workspace: LocalWorkspace) -> MLClient:
    return client_of(amlocal_workspace)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"n{uuid4().hex[:12]}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a name and files that are awkward in URLs."""
    folder = tmp_path / "my folder #1"
    (folder / "sub").mkdir(parents=True)
    (folder / "a 100%.csv").write_bytes(b"x,y\n1,2\n")
    (folder / "sub" / "ü+.bin").write_bytes(bytes(range(256)))
    (folder / "empty").write_bytes(b"")
    return folder


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class TestEnvironments:
    def test_azures_own_are_got_by_version_and_by_their_latest(self, client: MLClient) -> None:
        name = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"
        assert client.environments.get(name, version="33").version == "33"
        assert client.environments.get(name, label="latest").name == name
        with pytest.raises(ResourceNotFoundError, match="No environment exists for name: AzureML-sklern"):
            client.environments.get("AzureML-sklern-1.5", version="1")

    def test_a_conda_file_comes_back_as_it_was(self, client: MLClient, name: str) -> None:
        made = client.environments.create_or_update(entities.Environment(name=name, image="img", conda_file=CONDA))
        found = client.environments.get(name, made.version)
        assert (found.image, found.conda_file) == ("img", CONDA)

    def test_the_same_again_is_the_same_version_and_a_change_the_next(self, client: MLClient, name: str) -> None:
        def create(image: str) -> str:
            return str(client.environments.create_or_update(entities.Environment(name=name, image=image)).version)

        assert [create("one"), create("one"), create("two"), create("two")] == ["1", "1", "2", "2"]

    def test_a_version_cannot_be_changed(self, client: MLClient, name: str) -> None:
        client.environments.create_or_update(entities.Environment(name=name, version="7", image="one"))
        with pytest.raises(ResourceExistsError, match="already registered and cannot be changed"):
            client.environments.create_or_update(entities.Environment(name=name, version="7", image="two"))
        assert client.environments.get(name, "7").image == "one"

    def test_a_docker_context_is_uploaded_once(self, client: MLClient, name: str, folder: Path) -> None:
        (folder / "Dockerfile").write_text("FROM img\n")
        context = entities.BuildContext(path=str(folder))
        first = client.environments.create_or_update(entities.Environment(name=name, build=context))
        context = entities.BuildContext(path=str(folder))
        again = client.environments.create_or_update(entities.Environment(name=name, build=context))
        assert (first.version, again.version) == ("1", "1")
        assert client.environments.get(name, "1").build.dockerfile_path == "Dockerfile"

    def test_the_latest_is_the_newest(self, client: MLClient, name: str) -> None:
        for version in ("10", "2"):
            client.environments.create_or_update(entities.Environment(name=name, version=version, image=version))
        assert client.environments.get(name, label="latest").image == "2"

    def test_an_archived_version_is_not_listed_until_it_is_restored(self, client: MLClient, name: str) -> None:
        client.environments.create_or_update(entities.Environment(name=name, image="img", conda_file=CONDA))
        client.environments.archive(name, "1")
        assert list(client.environments.list(name)) == []
        client.environments.restore(name, "1")
        assert [environment.version for environment in client.environments.list(name)] == ["1"]

    def test_an_archived_name_is_not_listed_until_it_is_restored(self, client: MLClient, name: str) -> None:
        client.environments.create_or_update(entities.Environment(name=name, image="img"))
        client.environments.archive(name)
        assert name not in {environment.name for environment in client.environments.list()}
        client.environments.restore(name)
        assert name in {environment.name for environment in client.environments.list()}

    def test_a_missing_one_is_not_found(self, client: MLClient, name: str) -> None:
        with pytest.raises(ResourceNotFoundError, match=f"No environment exists for name: {name}"):
            client.environments.get(name, "1")


class TestData:
    def test_a_file_is_uploaded_and_found_again(self, client: MLClient, name: str, folder: Path) -> None:
        made = client.data.create_or_update(entities.Data(name=name, type="uri_file", path=str(folder / "a 100%.csv")))
        found = client.data.get(name, version=made.version)
        assert found.path.endswith("/a 100%.csv")
        assert found.path.startswith("azureml://subscriptions/")

    def test_a_folder_is_uploaded_whole(self, client: MLClient, name: str, folder: Path) -> None:
        made = client.data.create_or_update(entities.Data(name=name, type="uri_folder", path=str(folder)))
        assert made.path.endswith("/my folder #1/")
        model = entities.Model(name=name, version="1", type="custom_model", path=made.path)
        client.models.create_or_update(model)
        target = folder.parent / "back"
        client.models.download(name, "1", download_path=target)
        assert files(target / name / folder.name) == files(folder)

    def test_a_table_is_taken(
        self, client: MLClient, name: str, folder: Path, amlocal_workspace: LocalWorkspace
    ) -> None:
        (folder / "MLTable").write_text("type: mltable\npaths:\n- file: ./a 100%.csv\n")
        # The schema is fetched from the internet unless it is said to be elsewhere. This one allows anything.
        table = entities.Data(
            name=name, type="mltable", path=str(folder), mltable_schema_url=f"{amlocal_workspace.origin}/discovery"
        )
        client.data.create_or_update(table)
        assert client.data.get(name, label="latest").type == "mltable"

    @pytest.mark.parametrize(
        "uri", ["https://example.org/a.csv", "azureml://datastores/workspaceblobstore/paths/a/b.csv", "wasbs://c@a/x"]
    )
    def test_a_uri_is_registered_as_it_is(self, client: MLClient, name: str, uri: str) -> None:
        client.data.create_or_update(entities.Data(name=name, type="uri_file", path=uri))
        assert client.data.get(name, version="1").path.endswith(uri.removeprefix("azureml://"))

    def test_versions_count_up(self, client: MLClient, name: str) -> None:
        def create(path: str) -> str:
            return str(client.data.create_or_update(entities.Data(name=name, type="uri_file", path=path)).version)

        assert [create("https://a/1"), create("https://a/2")] == ["1", "2"]
        assert client.data.get(name, label="latest").path == "https://a/2"

    def test_a_version_cannot_be_changed(self, client: MLClient, name: str) -> None:
        client.data.create_or_update(entities.Data(name=name, version="1", type="uri_file", path="https://a/1"))
        with pytest.raises(ResourceExistsError, match="already exists"):
            client.data.create_or_update(entities.Data(name=name, version="1", type="uri_file", path="https://a/2"))
        assert client.data.get(name, version="1").path == "https://a/1"

    def test_tags_can_be_changed(self, client: MLClient, name: str) -> None:
        client.data.create_or_update(entities.Data(name=name, version="1", type="uri_file", path="https://a/1"))
        found = client.data.get(name, version="1")
        found.tags["checked"] = "yes"
        client.data.create_or_update(found)
        assert client.data.get(name, version="1").tags == {"checked": "yes"}

    def test_archive_and_restore(self, client: MLClient, name: str) -> None:
        client.data.create_or_update(entities.Data(name=name, version="1", type="uri_file", path="https://a/1"))
        client.data.archive(name, version="1")
        assert list(client.data.list(name)) == []
        client.data.restore(name, version="1")
        assert [data.version for data in client.data.list(name)] == ["1"]


class TestModels:
    def test_what_was_uploaded_is_downloaded(self, client: MLClient, name: str, folder: Path) -> None:
        client.models.create_or_update(entities.Model(name=name, type="custom_model", path=str(folder)))
        client.models.download(name, "1", download_path=folder.parent / "back")
        assert files(folder.parent / "back" / name / folder.name) == files(folder)

    def test_a_single_file_is_downloaded(self, client: MLClient, name: str, folder: Path) -> None:
        path = folder / "sub" / "ü+.bin"
        client.models.create_or_update(entities.Model(name=name, type="custom_model", path=str(path)))
        client.models.download(name, "1", download_path=folder.parent / "back")
        assert files(folder.parent / "back") == {f"{name}/{path.name}": path.read_bytes()}

    def test_versions_count_up_and_the_latest_is_found(self, client: MLClient, name: str) -> None:
        path = "azureml://datastores/workspaceblobstore/paths/m"
        versions = [
            client.models.create_or_update(entities.Model(name=name, type="custom_model", path=f"{path}{i}")).version
            for i in range(2)
        ]
        assert versions == ["1", "2"]
        assert client.models.get(name, label="latest").version == "2"
        assert [model.version for model in client.models.list(name)] == ["2", "1"]

    def test_a_version_cannot_be_changed(self, client: MLClient, name: str) -> None:
        def create(path: str) -> Any:
            uri = f"azureml://datastores/workspaceblobstore/paths/{path}"
            return client.models.create_or_update(entities.Model(name=name, version="1", type="custom_model", path=uri))

        create("m")
        with pytest.raises(ResourceExistsError, match="already exists"):
            create("M")

    def test_archive_and_restore(self, client: MLClient, name: str) -> None:
        path = "azureml://datastores/workspaceblobstore/paths/m"
        client.models.create_or_update(entities.Model(name=name, type="custom_model", path=path))
        client.models.archive(name, "1")
        assert list(client.models.list(name)) == []
        client.models.restore(name, "1")
        assert [model.version for model in client.models.list(name)] == ["1"]

    def test_a_list_can_ask_for_a_stage(self, client: MLClient, name: str) -> None:
        path = "azureml://datastores/workspaceblobstore/paths/m"
        for version, stage in (("1", "Production"), ("2", None)):
            client.models.create_or_update(
                entities.Model(name=name, version=version, type="custom_model", path=path, stage=stage)
            )
        assert [model.version for model in client.models.list(name, stage="Production")] == ["1"]

    def test_a_model_of_a_job_that_does_not_exist_is_refused(self, client: MLClient, name: str) -> None:
        path = "azureml://jobs/no-such-job/outputs/artifacts/paths/model"
        with pytest.raises(ResourceNotFoundError, match="no-such-job"):
            client.models.create_or_update(entities.Model(name=name, type="mlflow_model", path=path))


class TestCode:
    def test_the_same_snapshot_is_uploaded_once(self, client: MLClient, folder: Path) -> None:
        (folder / "main.py").write_text(f"# {uuid4()}\n")
        first = client._code.create_or_update(Code(path=str(folder)))
        again = client._code.create_or_update(Code(path=str(folder)))
        assert again.id == first.id
        (folder / "main.py").write_text(f"# {uuid4()}\n")
        assert client._code.create_or_update(Code(path=str(folder))).id != first.id

    def test_a_snapshot_comes_back_whole(self, client: MLClient, folder: Path) -> None:
        (folder / "main.py").write_text(f"# {uuid4()}\n")
        made = client._code.create_or_update(Code(path=str(folder)))
        target = folder.parent / "back"
        client._code.download(made.name, version=made.version, download_path=str(target))
        assert files(target) == files(folder)


def test_a_list_of_more_than_a_page_is_whole(client: MLClient, name: str) -> None:
    path = "azureml://datastores/workspaceblobstore/paths/m"
    for version in range(1, 104):
        client.data.create_or_update(entities.Data(name=name, version=str(version), type="uri_file", path=path))
    assert [data.version for data in client.data.list(name)] == [str(version) for version in range(103, 0, -1)]

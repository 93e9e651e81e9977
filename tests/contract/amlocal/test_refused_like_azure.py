"""What Azure refuses, asked for as users do: by the unmodified SDK and by MLflow, one workspace for all cases."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.amlocal.online_site import QUIET, Site, open_site

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

pytestmark = [*QUIET, pytest.mark.xdist_group("refused")]
CURATED = "azureml:AzureML-sklearn-1.5@latest"
PROD = "azureml://subscriptions/99999999-0000-0000-0000-000000000000/resourcegroups/rg-prod/workspaces/mlw-prod"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("refused")) as site:
        yield site


def refused(send: Any, thing: Any) -> "HttpResponseError":
    """Return the error that a call of the SDK ends in."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError) as error:
        send(thing)
    return error.value


class TestIdsOfAnotherWorkspace:
    BLOB = f"{PROD}/datastores/workspaceblobstore/paths/x"

    def check(self, error: "HttpResponseError") -> None:
        assert error.status_code == 400
        assert "another workspace: 'mlw-prod' in resource group 'rg-prod'" in str(error)

    def test_no_data_asset_is_made_of_one(self, site: Site) -> None:
        from azure.ai.ml.entities import Data  # noqa: PLC0415

        for kind in ("uri_file", "uri_folder"):
            asset = Data(name="foreign", path=self.BLOB, type=kind)
            self.check(refused(site.client.data.create_or_update, asset))

    def test_no_job_reads_or_writes_one(self, site: Site) -> None:
        from azure.ai.ml import Input, Output, command  # noqa: PLC0415

        provider = "/providers/Microsoft.MachineLearningServices/workspaces/"
        arm = PROD.removeprefix("azureml:/").replace("groups", "Groups").replace("/workspaces/", provider)
        places: tuple[dict[str, Any], ...] = (
            {"inputs": {"x": Input(type="uri_file", path=self.BLOB)}},
            {"inputs": {"x": Input(type="uri_file", path=f"{arm}/data/d/versions/1")}},
            {"outputs": {"x": Output(type="uri_folder", path=self.BLOB)}},
            {"environment": f"{arm}/environments/e/versions/1"},
        )
        for changes in places:
            job = command(**{"command": "true", "environment": CURATED, **changes})
            self.check(refused(site.client.jobs.create_or_update, job))

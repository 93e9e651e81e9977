"""Releases on a real local workspace: where the traffic goes, and what becomes of one that is killed or fails."""

from collections.abc import Iterator

import pytest

from mlgates.core.releases import Released
from mlgates.core.steps import to_the_end
from tests.contract.amlocal.online_site import QUIET
from tests.contract.mlgates.release_site import ReleaseSite, release_site

pytestmark = [*QUIET, pytest.mark.xdist_group("release")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseSite]:
    with release_site(tmp_path_factory.mktemp("release")) as site:
        yield site


@pytest.fixture(scope="module")
def served(site: ReleaseSite) -> str:
    """The version that was released before any test."""
    version = site.approved()
    released(site, version)
    return version


def released(site: ReleaseSite, version: str) -> Released:
    from mlgates.release.releasing import release  # noqa: PLC0415 - brings in azure-ai-ml

    return to_the_end(release(site.work(), version))


def rolled_back(site: ReleaseSite) -> Released:
    from mlgates.release.rolling_back import rollback  # noqa: PLC0415

    return to_the_end(rollback(site.work()))


def test_a_release_goes_out_back_and_forward(site: ReleaseSite, served: str) -> None:
    version = site.approved()
    seen = []
    for _ in range(2):
        released(site, version)
        seen.append((site.traffic(), site.batch_version()))
        rolled_back(site)
        seen.append((site.traffic(), site.batch_version()))
    new, old = ({version: 100}, version), ({served: 100}, served)
    assert seen == [new, old, new, old]

import pytest

from tests.unit.amlocal.assets.kinds import ALL, LISTED, Kind


@pytest.fixture(params=ALL, ids=lambda kind: kind.collection)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of asset in turn."""
    found: Kind = request.param
    return found


@pytest.fixture(params=LISTED, ids=lambda kind: kind.collection)
def listed(request: pytest.FixtureRequest) -> Kind:
    """Each kind of asset whose names can be listed in turn."""
    found: Kind = request.param
    return found

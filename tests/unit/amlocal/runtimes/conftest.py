"""A house of tiny wheels, a cache, and the environment in which uv and pip use nothing else."""

import os
from pathlib import Path

import pytest

from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse


@pytest.fixture
def house(tmp_path: Path) -> WheelHouse:
    return WheelHouse(tmp_path / "wheels")


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def offline(house: WheelHouse, uv_cache: Path) -> dict[str, str]:
    return house.environ(uv_cache, os.environ)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"

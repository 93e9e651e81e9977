"""The tiny wheels that the unit tests have, for uv and pip to install."""

from tests.unit.amlocal.runtimes.conftest import cache, house, offline, uv_cache

__all__ = ["cache", "house", "offline", "uv_cache"]

import uuid
from datetime import timedelta

from amlocal.core.context import random_ids, system_clock


def test_the_clock_shows_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)


def test_ids_are_guids_and_differ() -> None:
    assert len({uuid.UUID(random_ids()) for _ in range(10)}) == 10

"""Time and chance, handed in so that a test can choose them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # now, aware, UTC
Ids = Callable[[], str]  # a fresh GUID as text


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def random_ids() -> str:
    """Return a random GUID."""
    return str(uuid.uuid4())

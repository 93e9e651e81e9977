"""Time and chance, handed in so that a test can choose them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # now, aware, UTC
Ids = Callable[[], str]  # a fresh GUID as text


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def random_ids() -> str:
    """Return a random GUID, of version 4; `uuid.uuid4` takes three times as long, and each request wants one or two."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

"""ISO 8601 durations of request settings and probes."""

import re

from amlocal.core.errors import BadRequest

_DURATION = re.compile(
    r"PT(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?", re.ASCII
)
_UNITS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `PT5S` or `PT0.5S`. Raises `BadRequest` on anything else."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) and text != "PT" else None
    if found is None:
        raise BadRequest(f"{text!r} is not an ISO 8601 duration such as PT5S.")
    return sum(float(found[unit] or 0) * size for unit, size in _UNITS.items())

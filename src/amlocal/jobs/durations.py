"""ISO 8601 durations, as Azure writes limits and time-outs."""

import re

from amlocal.core.errors import BadRequest

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `PT1H30M` or `P1DT0.5S`. Raises `BadRequest` on anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        raise BadRequest(f"{text!r} is not an ISO 8601 duration such as PT1H30M.")
    return sum(float(found[unit] or 0) * size for unit, size in _UNITS.items())

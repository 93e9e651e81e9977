"""ISO 8601 durations, as Azure writes limits and time-outs."""

import re

from amlocal.core.errors import BadRequest

# Nine digits are thirty years of seconds: no honest duration has more, and no clock takes them.
_DURATION = re.compile(
    r"P(?=.*\d)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def seconds(sent: object) -> float:
    """Return the seconds of a duration such as `PT1H30M` or `P1DT0.5S`. Raises `BadRequest` on anything else."""
    found = _DURATION.fullmatch(sent) if isinstance(sent, str) else None
    if found is None:
        raise BadRequest(f"{sent!r} is not an ISO 8601 duration such as PT1H30M.")
    return sum(float(found[unit] or 0) * size for unit, size in _UNITS.items())

"""What a release, or the way back, came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Released:
    """A version has all the traffic of the online endpoint, and is the default of the batch endpoint."""

    model: str
    """Name and version, `classifier:3`."""
    endpoint: str
    deployment: str
    before: str | None
    """What served before, `classifier:2`."""
    changed: bool
    """False when it served already."""

    @property
    def summary(self) -> str:
        """In one phrase."""
        before = f" after {self.before}" if self.changed and self.before else ""
        return (
            f"{self.endpoint}/{self.deployment} {'serves' if self.changed else 'already serves'} {self.model}{before}"
        )

"""What can go wrong, one exit code a kind; every message says what, where and the way out."""

from typing import ClassVar


class MlgatesError(Exception):
    """The base of every error that mlgates raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(MlgatesError):
    """A file under mlops/, or an option, does not say what it must."""

    exit_code = 2


class SampleRefused(ConfigurationError):
    """A sample that is sent to a deployment is not what the model's signature allows."""


class WorkspaceUnavailable(MlgatesError):
    """The workspace cannot be reached, or does not let us in."""

    exit_code = 3


class AssetMissing(MlgatesError):
    """Something that the step needs is not there: a file, a job, an asset."""

    exit_code = 4


class WorkspaceRefused(MlgatesError):
    """The workspace answered, and the answer was no."""

    exit_code = 5


class DeploymentFailed(MlgatesError):
    """A deployment did not come up."""

    exit_code = 7


class TrialFailed(MlgatesError):
    """What is deployed did not answer as it must."""

    exit_code = 8


class BuildRefused(MlgatesError):
    """An archive is not the build that it should be."""

    exit_code = 11


class SuiteFailed(MlgatesError):
    """A layer of tests failed."""

    exit_code = 12


class Waits(MlgatesError):
    """A pipeline has come to where somebody else must act; it goes on from there when it is run again."""

    exit_code = 10


class GateFailed(MlgatesError):
    """A gate does not open."""

    exit_code = 9


class JobFailed(MlgatesError):
    """A job ended in any other way than completed."""

    exit_code = 6


class NotAllowed(MlgatesError):
    """A rule of the way to production forbids the step: no passed gate, no approval, other content."""

    exit_code = 13


class EndpointHeld(MlgatesError):
    """Another release or rollback of the endpoint is under way."""

    exit_code = 14


class CanaryBroken(MlgatesError):
    """A release broke a limit on its way, and the traffic went back."""

    exit_code = 15


class LedgerBroken(MlgatesError):
    """What the ledger holds is not what was written."""

    exit_code = 16


class SourceUnknown(MlgatesError):
    """Which commit the files are of cannot be told, and nothing is built, tested or decided for an unknown one."""

    exit_code = 17


class NoCheckout(SourceUnknown):
    """There is no git checkout at all, which a first trial of training can do without."""


class CanaryUndecided(MlgatesError):
    """A release went back, since nobody can tell whether it keeps its limits; nothing is withdrawn."""

    exit_code = 18

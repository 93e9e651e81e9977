"""What can go wrong, one exit code a kind; every message says what, where and the way out."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command of mlgates ends, 0 when all is well: one code for each kind of failure, over all commands."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        """Return the member for `code`; `meaning` is what the reference says of it."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    UNEXPECTED = 1, "A fault of mlgates itself: please report it, with what `--debug` shows."
    CONFIGURATION = 2, "A file under mlops/, a suite, a sample or an option does not say what it must."
    WORKSPACE_UNAVAILABLE = 3, "The workspace cannot be reached, or does not let us in."
    ASSET_MISSING = 4, "Something that the command needs is not there: a file, a job, an asset."
    WORKSPACE_REFUSED = 5, "The workspace answered, and the answer was no."
    JOB_FAILED = 6, "A job ended in any other way than completed."
    DEPLOYMENT_FAILED = 7, "A deployment did not come up."
    ENDPOINT_TEST_FAILED = 8, "What is deployed did not answer as it must."
    GATE_FAILED = 9, "A gate failed."
    PENDING_APPROVAL = 10, "A pipeline waits for somebody to act; run again, it goes on from there."
    BUILD_REFUSED = 11, "An archive is not the build that it should be."
    SUITE_FAILED = 12, "A layer of tests failed."
    NOT_ALLOWED = 13, "A rule of releases forbids it: no passed gate, no approval, other content."
    ENDPOINT_LOCKED = 14, "Another release or rollback of the endpoint is under way."
    CANARY_FAILED = 15, "A release broke a limit on its way, and the traffic went back."
    LEDGER_BROKEN = 16, "What the ledger holds is not what was written."
    SOURCE_UNKNOWN = 17, "The commit of the files is unknown."
    CANARY_UNDECIDED = 18, "A canary came to no verdict, and the traffic went back; nothing is withdrawn."
    DATA_UNREADABLE = 19, "A data file is missing, empty, cut short or no table."
    CONTRACT_BROKEN = 20, "A model or an endpoint breaks the contract with its callers, or a candidate the champion's."
    REQUEST_INVALID = 21, "A request is not what the contract allows."
    DATA_UNSUITABLE = 22, "A table from which no project can be drafted: too few rows, a label of one class."
    INTERRUPTED = 130, "Interrupted; a job that was submitted goes on."


class MlgatesError(Exception):
    """The base of every error that mlgates raises on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED


class ConfigurationError(MlgatesError):
    """A file under mlops/, or an option, does not say what it must."""

    exit_code = ExitCode.CONFIGURATION


class SampleRefused(ConfigurationError):
    """A sample that is sent to a deployment is not what the model's signature allows."""


class WorkspaceUnavailable(MlgatesError):
    """The workspace cannot be reached, or does not let us in."""

    exit_code = ExitCode.WORKSPACE_UNAVAILABLE


class AssetMissing(MlgatesError):
    """Something that the step needs is not there: a file, a job, an asset."""

    exit_code = ExitCode.ASSET_MISSING


class WorkspaceRefused(MlgatesError):
    """The workspace answered, and the answer was no."""

    exit_code = ExitCode.WORKSPACE_REFUSED


class DeploymentFailed(MlgatesError):
    """A deployment did not come up."""

    exit_code = ExitCode.DEPLOYMENT_FAILED


class EndpointTestFailed(MlgatesError):
    """What is deployed did not answer as it must."""

    exit_code = ExitCode.ENDPOINT_TEST_FAILED


class BuildRefused(MlgatesError):
    """An archive is not the build that it should be."""

    exit_code = ExitCode.BUILD_REFUSED


class SuiteFailed(MlgatesError):
    """A layer of tests failed."""

    exit_code = ExitCode.SUITE_FAILED


class PendingApproval(MlgatesError):
    """A pipeline has come to where somebody else must act; it goes on from there when it is run again."""

    exit_code = ExitCode.PENDING_APPROVAL


class GateFailed(MlgatesError):
    """A gate failed."""

    exit_code = ExitCode.GATE_FAILED


class JobFailed(MlgatesError):
    """A job ended in any other way than completed."""

    exit_code = ExitCode.JOB_FAILED


class NotAllowed(MlgatesError):
    """A rule of releases forbids the step: no passed gate, no approval, other content."""

    exit_code = ExitCode.NOT_ALLOWED


class EndpointLocked(MlgatesError):
    """Another release or rollback of the endpoint is under way."""

    exit_code = ExitCode.ENDPOINT_LOCKED


class CanaryFailed(MlgatesError):
    """A release broke a limit on its way, and the traffic went back."""

    exit_code = ExitCode.CANARY_FAILED


class LedgerBroken(MlgatesError):
    """What the ledger holds is not what was written."""

    exit_code = ExitCode.LEDGER_BROKEN


class SourceUnknown(MlgatesError):
    """The commit of the files is unknown, and nothing is built, tested or decided for an unknown one."""

    exit_code = ExitCode.SOURCE_UNKNOWN


class NoCheckout(SourceUnknown):
    """There is no git checkout at all, which a first trial of training can do without."""


class CanaryUndecided(MlgatesError):
    """A canary came to no verdict, and the traffic went back; nothing is withdrawn."""

    exit_code = ExitCode.CANARY_UNDECIDED

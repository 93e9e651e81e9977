"""How serving can fail, as the router tells it from an answer of the model."""

from amlocal.core.errors import AmlocalError


class RolloutFailed(AmlocalError):
    """A deployment did not come up; the message is what its poller shows."""


class ProcessDied(AmlocalError):
    """The process that worked on a request is gone."""


class NotSent(ProcessDied):
    """The process was gone before it could have seen the request: another may have it."""


class WorkerDied(ProcessDied):
    """One worker of a server is gone with the request that it worked on; the server has others, or makes them."""


class TooBusy(AmlocalError):
    """More requests are pending than the deployment may hold."""

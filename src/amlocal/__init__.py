"""A local Azure Machine Learning workspace that the unmodified azure-ai-ml SDK accepts.

What is named here is the library: it keeps its names, and everything below it may move.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amlocal.testing import LocalWorkspace, local_workspace, use

__all__ = ["LocalWorkspace", "local_workspace", "use"]


def __getattr__(name: str) -> Any:
    """Import a name of `__all__` when it is used for the first time: jobs and deployments import this package too."""
    if name not in __all__:
        raise AttributeError(f"module 'amlocal' has no attribute '{name}'")
    from amlocal import testing  # noqa: PLC0415

    return getattr(testing, name)

"""A client that asks before each change of an endpoint whether whoever works with it still may."""

from collections.abc import Callable
from typing import Any, cast

from azure.ai.ml import MLClient

_GROUPS = frozenset({"online_endpoints", "online_deployments", "batch_endpoints", "batch_deployments"})
_CHANGES = "begin_"


def fenced(client: MLClient, check: Callable[[], None]) -> MLClient:
    """Return `client`, with `check` called before each operation on endpoints and deployments that it begins.

    What `check` raises comes instead of the operation.
    """
    return cast("MLClient", _Fenced(client, check, _GROUPS))


class _Fenced:
    """Passes everything on; `groups` are the attributes that are fenced in their turn."""

    def __init__(self, inner: object, check: Callable[[], None], groups: frozenset[str] = frozenset()) -> None:
        self._inner = inner
        self._check = check
        self._groups = groups

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in self._groups:
            return _Fenced(found, self._check)
        if not self._groups and name.startswith(_CHANGES):
            return self._checked(found)
        return found

    def _checked(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            self._check()
            return operation(*words, **more)

        return call

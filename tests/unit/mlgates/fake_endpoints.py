"""The endpoints and deployments of the workspace in memory; they keep what the SDK would have sent."""

from collections.abc import Callable, Sequence
from copy import copy
from types import SimpleNamespace
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

_KEPT = ("name", "endpoint_name", "tags", "traffic", "mirror_traffic", "defaults", "model", "instance_type")


class FakePoller:
    """An operation that goes through `states` and ends with `result`, or with what `error` says."""

    def __init__(self, result: Any, states: Sequence[str] = (), error: str | None = None) -> None:
        self._result = result
        self._states = list(states)
        self._error = error

    def done(self) -> bool:
        return not self._states

    def status(self) -> str:
        return self._states[0]

    def wait(self, timeout: float) -> None:
        self._states.pop(0)

    def result(self) -> Any:
        if self._error:
            raise HttpResponseError(self._error)
        return self._result


class FakeResources:
    """Resources by name. `asked` are the entities that were sent; `failure` is what the next operations end with."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, ...], Any] = {}
        self.asked: list[Any] = []
        self.failure: str | None = None
        self.operation_states: Sequence[str] = ()
        self.states: list[str] = []
        """The provisioning states that `get` finds, one after the other; then that of the resource."""

    def begin_create_or_update(self, entity: Any) -> Any:
        self.asked.append(copy(entity))
        key = self._key(entity)
        held = SimpleNamespace(**{name: getattr(entity, name, None) for name in _KEPT})
        held.provisioning_state = "Failed" if self.failure else "Succeeded"
        held.scoring_uri = f"https://scoring/{'/'.join(key)}"
        self.held[key] = held
        return FakePoller(held, self.operation_states, self.failure)

    def begin_delete(self, *key: str) -> FakePoller:
        del self.held[key]
        return FakePoller(None)

    def get(self, *key: str) -> Any:
        if key not in self.held:
            raise ResourceNotFoundError(f"{'/'.join(key)} does not exist")
        found = copy(self.held[key])
        if self.states:
            found.provisioning_state = self.states.pop(0)
        return found

    def _key(self, entity: Any) -> tuple[str, ...]:
        return (entity.name,)


class FakeDeployments(FakeResources):
    """Deployments; `fetched` is the log of what each has fetched, which tells nothing, as on Azure."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: Callable[[str, str], str] = lambda *_: "Download went well\n"

    def begin_create_or_update(self, entity: Any) -> Any:
        """As the workspace does, keep the model by its id."""
        poller = super().begin_create_or_update(entity)
        name, _, version = str(entity.model).removeprefix("azureml:").partition(":")
        self.held[self._key(entity)].model = f"/subscriptions/s/models/{name}/versions/{version}"
        return poller

    def _key(self, entity: Any) -> tuple[str, ...]:
        return entity.name, entity.endpoint_name

    def list(self, endpoint: str) -> list[Any]:
        return [copy(each) for (_, of), each in self.held.items() if of == endpoint]

    def get_logs(self, name: str, endpoint: str, *, lines: int, container_type: str | None = None) -> str:
        if container_type:
            return self.fetched(name, endpoint)
        return "first line\n\nlast line\n"


class FakeOnlineEndpoints(FakeResources):
    """Endpoints whose tags can be changed alone, by the operations below the SDK's own."""

    def __init__(self) -> None:
        super().__init__()
        self._online_operation = SimpleNamespace(begin_update=self._begin_update)

    def _begin_update(self, group: str, workspace: str, name: str, body: Any, **_: Any) -> FakePoller:
        if (name,) not in self.held:
            raise ResourceNotFoundError(f"{name} does not exist")
        self.held[name,].tags = dict(body["tags"])
        return FakePoller(self.held[name,])

    def get_keys(self, name: str) -> Any:
        return SimpleNamespace(primary_key="the key")


class FakeBatchEndpoints(FakeResources):
    def __init__(self, jobs: Any) -> None:
        super().__init__()
        self.jobs = jobs
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, name: str, *, input: Any) -> Any:  # noqa: A002 - as the SDK names it
        self.invoked.append((name, input))
        return self.jobs.create_or_update(SimpleNamespace(experiment_name=name, tags={}))

    def list_jobs(self, name: str) -> list[Any]:
        return [job for job in self.jobs.held if job.experiment_name == name]

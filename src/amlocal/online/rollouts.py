"""Long-running operations on deployments: begun by a request, carried through behind it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from amlocal.core.documents import Document
from amlocal.core.operations import Operations
from amlocal.online.errors import RolloutFailed
from amlocal.online.fleet import Fleet, Key
from amlocal.online.store import OnlineStore

_LOG = logging.getLogger("amlocal")
_INTERRUPTED = "The server ended during the rollout. Create or update the deployment again."


class Rollouts:
    """Brings deployments to what was asked of them, and back up after a restart."""

    def __init__(self, store: OnlineStore, operations: Operations, fleet: Fleet) -> None:
        self._store = store
        self._operations = operations
        self._fleet = fleet
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def begin(self, document: Document) -> str:
        """Roll a deployment out; return the operation that ends with it."""
        operation = self._operations.start("od", status="Updating")
        self._store.put_deployment(document.name, document.version, {"operation": operation})
        self._run(_key(document), self._roll_out(document, operation))
        return operation

    def end(self, key: Key) -> None:
        """Stop what is under way for a deployment, and serve it no longer."""
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
        self._fleet.remove(key)

    async def start(self) -> None:
        """Take up where the last server ended: what served serves again, what was on its way has failed."""
        for endpoint in self._store.endpoints():
            for document in self._store.deployments(endpoint.name):
                if document.body["state"] == "Updating":
                    self._fail(document, str(document.body.get("operation")), _INTERRUPTED)
                if document.body["serving"]:
                    self._run(_key(document), self._restore(document))

    async def stop(self) -> None:
        """End everything."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fleet.stop()

    def _run(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        if (earlier := self._tasks.pop(key, None)) is not None:
            earlier.cancel()  # a version on its way back up must not come in after the one asked for now
        task = asyncio.create_task(work, name=f"deployment {'/'.join(key)}")
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._done(key, done))

    def _done(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("deployment %s: a fault of amlocal", "/".join(key), exc_info=error)

    async def _roll_out(self, document: Document, operation: str) -> None:
        properties, capacity = document.body["properties"], document.body["capacity"]
        try:
            await self._fleet.roll_out(_key(document), properties, capacity)
        except RolloutFailed as error:
            self._fail(document, operation, str(error))
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(document, operation, f"amlocal failed on this rollout: {error}")
            raise
        serving = {"properties": properties, "capacity": capacity}
        self._store.put_deployment(*_key(document), {"state": "Succeeded", "serving": serving})
        self._operations.finish(operation)

    async def _restore(self, document: Document) -> None:
        serving = document.body["serving"]
        try:
            await self._fleet.roll_out(_key(document), serving["properties"], serving["capacity"])
        except RolloutFailed as error:
            _LOG.error("deployment %s does not come up again: %s", "/".join(_key(document)), error)
            self._store.put_deployment(*_key(document), {"state": "Failed"})

    def _fail(self, document: Document, operation: str, message: str) -> None:
        self._store.put_deployment(*_key(document), {"state": "Failed"})
        details = [{"code": "ResourceNotReady", "message": message, "details": [], "additionalInfo": []}]
        self._operations.finish(operation, error={"code": "ResourceNotReady", "message": message, "details": details})


def _key(document: Document) -> Key:
    return document.name, document.version

"""Long-running operations on deployments: begun by a request, carried through behind it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from amlocal.core.documents import Document
from amlocal.core.operations import Operations
from amlocal.online.deployment_manager import DeploymentKey, DeploymentManager
from amlocal.online.errors import RolloutFailed
from amlocal.online.store import OnlineStore

_LOG = logging.getLogger("amlocal")
_DELETED = "ResourceNotReady: The deployment was deleted during the rollout."
_INTERRUPTED = "ResourceNotReady: The server ended during the rollout. Create or update the deployment again."


class Rollouts:
    """Brings deployments to what was asked of them, and back up after a restart."""

    def __init__(self, store: OnlineStore, operations: Operations, manager: DeploymentManager) -> None:
        self._store = store
        self._operations = operations
        self._manager = manager
        self._tasks: dict[DeploymentKey, asyncio.Task[None]] = {}

    def begin(self, document: Document) -> str:
        """Roll a deployment out; return the operation that ends with it."""
        operation = self._operations.start("od", status="Updating")
        self._store.put_deployment(document.name, document.version, {"operation": operation})
        self._run(_key(document), partial(self._roll_out, document, operation))
        return operation

    def end(self, document: Document) -> None:
        """Stop what is under way for a deployment, and serve it no longer."""
        task = self._tasks.pop(_key(document), None)
        if task is not None:
            task.cancel()
        if document.body["state"] == "Updating":  # whoever polls this operation would poll for ever
            self._finish(str(document.body["operation"]), _DELETED)
        self._manager.remove(_key(document))

    async def start(self) -> None:
        """Take up where the last server ended: what served serves again, what was on its way has failed."""
        for document in self._store.all_deployments():
            if document.body["state"] == "Updating":
                self._fail(document, str(document.body.get("operation")), _INTERRUPTED)
            if document.body["serving"]:
                self._manager.expect(_key(document))
                self._run(_key(document), partial(self._restore, document))

    async def stop(self) -> None:
        """End everything."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._manager.stop()

    def _run(self, key: DeploymentKey, work: Callable[[], Awaitable[None]]) -> None:
        earlier = self._tasks.get(key)

        async def in_turn() -> None:
            # After a restart, what served comes back up before an update of it: that may fail.
            if earlier is not None:
                await asyncio.gather(earlier, return_exceptions=True)
            await work()

        task = asyncio.create_task(in_turn(), name=f"deployment {'/'.join(key)}")
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._done(key, done))

    def _done(self, key: DeploymentKey, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("deployment %s: a fault of amlocal", "/".join(key), exc_info=error)

    async def _roll_out(self, document: Document, operation: str) -> None:
        properties, capacity = document.body["properties"], document.body["capacity"]
        try:
            await self._manager.roll_out(_key(document), properties, capacity)
        except RolloutFailed as error:
            self._fail(document, operation, str(error))
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(document, operation, f"InternalServerError: amlocal failed on this rollout: {error}")
            raise
        serving = {"properties": properties, "capacity": capacity}
        self._store.put_deployment(*_key(document), {"state": "Succeeded", "serving": serving})
        self._operations.finish(operation)

    async def _restore(self, document: Document) -> None:
        serving, key = document.body["serving"], _key(document)
        try:
            await self._manager.roll_out(key, serving["properties"], serving["capacity"])
        except RolloutFailed as error:
            _LOG.error("deployment %s does not come up again: %s", "/".join(key), error)
            self._store.put_deployment(*key, {"state": "Failed"})
        finally:
            self._manager.give_up(key)

    def _fail(self, document: Document, operation: str, message: str) -> None:
        self._store.put_deployment(*_key(document), {"state": "Failed"})
        self._finish(operation, message)

    def _finish(self, operation: str, message: str) -> None:
        # Without a code, as Azure: the kind is the first word of the message (WIRE, "Online").
        self._operations.finish(operation, error={"code": None, "message": message, "details": []})


def _key(document: Document) -> DeploymentKey:
    return document.name, document.version

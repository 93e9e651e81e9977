"""The application of a workspace."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from amlocal.app import App
from amlocal.assembly.batch import Batch
from amlocal.assembly.credentials import Credentials
from amlocal.assembly.jobs import Jobs
from amlocal.assembly.online import Online
from amlocal.assembly.stores import Stores, open_stores
from amlocal.assets.codes import CodeRoutes
from amlocal.assets.routes import AssetRoutes
from amlocal.blobs import BlobStore
from amlocal.blobs.routes import routes as blob_routes
from amlocal.client import direct_environ, switch_environ
from amlocal.computes.routes import ComputeRoutes
from amlocal.core.context import (
    Clock,
    Context,
    Identity,
    Ids,
    random_ids,
    system_clock,
)
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import AmlocalError
from amlocal.core.http import Route
from amlocal.core.operations import Operations
from amlocal.datastores.routes import DatastoreRoutes
from amlocal.identity.routes import routes as identity_routes
from amlocal.identity.secrets import load_secrets
from amlocal.jobs.process import machine_environ, sandbox_warning
from amlocal.settings import Settings
from amlocal.tracking.tracking import Tracking
from amlocal.workspace.routes import routes as workspace_routes

_LOG = logging.getLogger("amlocal")


def build(
    settings: Settings,
    identity: Identity,
    created: str,
    origin: str,
    *,
    clock: Clock = system_clock,
    ids: Ids = random_ids,
) -> App:
    """Return the application of one workspace, whose folder exists and is locked by the caller."""
    folder = settings.folder
    database = Database(folder.database)
    context = Context(identity, origin, Documents(database), clock, ids)
    stores = open_stores(context, BlobStore(folder.chunks, database, clock, ids))
    credentials = Credentials(context, stores, load_secrets(folder.secrets))
    environ = machine_environ(os.environ)
    tracking = Tracking(folder.tracking, stores.blobs, lenient=settings.lenient, environ=environ)
    client_environ = switch_environ(origin, folder, identity) | direct_environ(os.environ)
    jobs = Jobs(context, settings, stores, credentials, record_run=tracking.record_run, client_environ=client_environ)
    operations = Operations(context)
    batch = Batch(context, settings, stores, jobs, operations)
    online = Online(context, settings, stores, operations, credentials)

    table = [
        *identity_routes(context, credentials.secrets, credentials.tokens),
        *workspace_routes(context, created),
        *ComputeRoutes(context, stores.computes, operations).routes(),
        *operations.routes(),
        *online.routes(),
        *_asset_routes(context, stores, credentials),
        *jobs.routes(),
        *batch.routes(),
        *tracking.routes(credentials.tokens.check),
        # Last: the account's root is the first segment of any path.
        *blob_routes(stores.blobs, credentials.storage, clock=clock, ids=ids),
    ]
    lifespan = partial(_lifespan, database, stores.blobs, tracking, batch, jobs, online)
    return App(context, table, credentials.tokens.check_header, lifespan)


@asynccontextmanager
async def _lifespan(
    database: Database, blobs: BlobStore, tracking: Tracking, batch: Batch, jobs: Jobs, online: Online
) -> AsyncIterator[None]:
    async with AsyncExitStack() as ends:
        ends.callback(database.close)
        await tracking.start()
        ends.push_async_callback(tracking.stop)
        batch.start()
        await jobs.start()
        ends.push_async_callback(jobs.stop)
        await online.start()
        ends.push_async_callback(online.stop)
        # In threads, behind the first requests: a large store takes a while to look through.
        behind = [asyncio.create_task(_collect_garbage(blobs)), asyncio.create_task(_warn_without_sandbox())]
        ends.push_async_callback(asyncio.wait, behind)
        yield


async def _warn_without_sandbox() -> None:
    if text := await asyncio.to_thread(sandbox_warning):
        _LOG.warning("%s", text)


async def _collect_garbage(blobs: BlobStore) -> None:
    try:
        await asyncio.to_thread(blobs.collect_garbage)
    except (OSError, sqlite3.Error, AmlocalError):
        _LOG.exception("the bytes of deleted blobs could not be freed; the next start tries again")


def _asset_routes(context: Context, stores: Stores, credentials: Credentials) -> list[Route]:
    codes = CodeRoutes(
        context,
        stores.codes,
        storage_root=credentials.storage_root,
        create_container=stores.blobs.create_container,
        make_sas=credentials.make_sas,
    )
    datastores = DatastoreRoutes(
        context,
        stores.datastores,
        key=credentials.secrets.storage,
        make_sas=credentials.make_sas,
        create_container=stores.blobs.create_container,
    )
    return [
        *datastores.routes(),
        *codes.routes(),
        *(
            route
            for store in (stores.environments, stores.data, stores.models)
            for route in AssetRoutes(context, store).routes()
        ),
    ]

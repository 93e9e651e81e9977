"""What is measured, a file a subject. Each measure brings up what it needs and takes it down again."""

from collections.abc import Callable

from tests.bench.figures import Figure
from tests.bench.measures import (
    batch,
    canaries,
    commands,
    gates,
    heavy,
    hops,
    jobs,
    lists,
    online,
    release,
    server,
    unauthenticated,
    upload,
)

MEASURES: dict[str, Callable[[], list[Figure]]] = {
    "ready": server.ready,
    "arm-get": server.arm_get,
    "memory": server.memory,
    "lists": lists.lists,
    "heavy": heavy.heavy,
    "unauthenticated": unauthenticated.unauthenticated,
    "upload": upload.upload,
    "hello": jobs.hello,
    "promote": commands.promote,
    "dev-gate": commands.dev_gate,
    "integration": commands.integration,
    "help": commands.help_pages,
    "deploy": online.deploy,
    "online": online.online,
    "batch": batch.batch,
    "gate": gates.gate,
    "release": release.release,
    "canaries": canaries.canaries,
    "hops": hops.hops,
    "batch-many": batch.batch_many,
}
ON_REQUEST = ("batch-many", "hops")  # measured only when they are named

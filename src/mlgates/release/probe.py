"""The probe of a release: asks the new version, the old one and whichever the traffic picks, as any caller would."""

import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeAlias

from mlgates.config.settings import Settings
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.core.events import StepProgressed, Steps
from mlgates.delivery.batch_trial import sample_files
from mlgates.delivery.online_trial import address, sample_request
from mlgates.release.canary import Observation, broken_limits
from mlgates.release.declaration import Limits
from mlgates.scoring.endpoint import Address, Endpoint, Exchange
from mlgates.scoring.request import Request
from mlgates.scoring.scorer import ask

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

TIMEOUT_S = 10.0
"""A request that takes longer counts as not answered."""
PAUSE_S = 0.1
"""Between two rounds of requests: a probe is a caller among others, and must not be a load."""


Reach: TypeAlias = Callable[[Address], Endpoint]
"""Opens a connection to a deployment."""


def reach(address: Address) -> Endpoint:
    """Open a connection that does not wait long."""
    return Endpoint(address, timeout_s=TIMEOUT_S)


class Probe:
    """Asks an endpoint's deployments, round by round. `open_` is how one is reached."""

    def __init__(self, client: "MLClient", settings: Settings, *, new: str, old: str, open_: Reach = reach) -> None:
        self._name = new
        to = address(client, settings.online_endpoint)
        self._new = open_(Address(to.uri, to.credential, new))
        self._old = open_(Address(to.uri, to.credential, old))
        self._callers = open_(to)
        self._requests = cycle([sample_request(settings), *batch_requests(settings)])

    def round(self) -> Observation:
        """Ask each once; raise `WorkspaceUnavailable` when it is not the new version that does not answer, but all."""
        request = next(self._requests)
        old = _asked(self._old, request)
        if old is None:
            raise WorkspaceUnavailable("the endpoint does not answer any more")
        new, chosen = _asked(self._new, request), _asked(self._callers, request)
        return _seen(new, old) + _counted(chosen, self._name)

    def close(self) -> None:
        """Close the connections."""
        for each in (self._new, self._old, self._callers):
            each.close()


def watch(
    name: str,
    probe: Probe,
    limits: Limits,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Steps[Observation]:
    """Ask for `seconds`, and as often as `limits` say at least, or until a limit is broken; return what was seen.

    `name` is the step that tells of it.
    """
    end = clock() + seconds
    seen = probe.round()
    yield StepProgressed(name, seen.summary)
    while clock() < end or seen.requests < limits.requests:
        # More errors than so many requests may have need no further ones: callers suffer them meanwhile.
        hopeless = seen.errors > limits.max_error_rate * limits.requests
        if hopeless or (seen.requests >= limits.requests and broken_limits(seen, limits)):
            break
        sleep(PAUSE_S)
        seen += probe.round()
        yield StepProgressed(name, seen.summary)
    return seen


def batch_requests(settings: Settings) -> Sequence[Request]:
    """Return the rows of the batch sample as requests, one a CSV file."""
    return [_request(list(_table(file.read_text(encoding="utf-8")))) for file in sample_files(settings)]


def _table(text: str) -> Iterator[list[Any]]:
    columns, *rows = csv.reader(text.splitlines())
    yield columns
    for row in rows:
        yield [_value(cell) for cell in row]


def _request(table: list[list[Any]]) -> Request:
    columns, *rows = table
    # The one form that Azure's own scoring script takes for a model with named columns.
    body = {"input_data": {"columns": columns, "index": list(range(len(rows))), "data": rows}}
    return Request(json.dumps(body).encode())


def _value(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def _asked(endpoint: Endpoint, request: Request) -> Exchange | None:
    """Return the exchange, None when nothing came back in time."""
    try:
        ask(endpoint, request)
    except WorkspaceUnavailable:
        return None
    return endpoint.last


def _seen(new: Exchange | None, old: Exchange) -> Observation:
    given, due = _predictions(new), _predictions(old)
    beside = (old.seconds * 1000,) if due is not None else ()
    if new is None or given is None:
        return Observation(requests=1, errors=1, beside=beside)
    rows, different = 0, 0
    if due is not None:
        rows = len(due)
        different = sum(a != b for a, b in zip(given, due, strict=True)) if len(given) == rows else rows
    return Observation(
        requests=1, milliseconds=(new.seconds * 1000,), beside=beside, predictions=rows, different=different
    )


def _counted(chosen: Exchange | None, new: str) -> Observation:
    """Count a request that the traffic decided over; its answer is the new version's affair when that one gave it."""
    if chosen is None:
        return Observation()
    hit = int(chosen.deployment == new)
    return Observation(requests=hit, errors=hit if _predictions(chosen) is None else 0, answered={chosen.deployment: 1})


def _predictions(exchange: Exchange | None) -> list[Any] | None:
    """Return what a good answer predicts; None for any other answer."""
    if exchange is None or exchange.answer.status != 200:
        return None
    try:
        given = exchange.answer.json()
    except ValueError:
        return None
    return given if isinstance(given, list) and given else None

"""The probe of a release: asks the new version, the old one and whichever the traffic picks, as any caller would."""

from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.contract.properties import WrongAnswer, predictions_of
from mlgates.contract.signature import ModelContract, same
from mlgates.core.errors import WorkspaceUnavailable
from mlgates.delivery.online import address
from mlgates.endpoint_client import Address, EndpointClient, Exchange, Json, Reach, ScoringRequest, ask, reach
from mlgates.release.canary_statistics import Observation
from mlgates.release.samples import Sample, Samples

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

WARM_UP = 3
"""Rounds whose times are not counted: connections are made, and a fresh process loads what it loads late."""
SILENT_ROUNDS = 3
"""After so many rounds in which nobody answered, one after the other, the workspace is gone."""
_ANYTHING = ModelContract(inputs=())


class Probe:
    """Asks an endpoint's deployments, round by round. `open_` is how one is reached.

    Numbers that are predicted are the same within `tolerance`.
    """

    def __init__(
        self,
        client: "MLClient",
        settings: Settings,
        samples: Samples,
        *,
        new: str,
        old: str,
        tolerance: float = 1e-9,
        open_: Reach = reach,
    ) -> None:
        self._name = new
        to = address(client, settings.online_endpoint)
        self._new = open_(Address(to.uri, to.credential, new))
        self._old = open_(Address(to.uri, to.credential, old))
        self._callers = open_(to)
        self._samples = cycle(samples.requests)
        self._contract = samples.contract or _ANYTHING
        self._tolerance = tolerance
        self._rounds = self._silent = 0

    def round(self) -> Observation:
        """Ask each once, the two versions by turns in this order and in that.

        Raises `WorkspaceUnavailable` when nobody answers any more.
        """
        sample, self._rounds = next(self._samples), self._rounds + 1
        request = sample.request
        if self._rounds % 2:
            old, new = _asked(self._old, request), _asked(self._new, request)
        else:
            new, old = _asked(self._new, request), _asked(self._old, request)
        chosen = _asked(self._callers, request)
        self._silent = 0 if new or old or chosen else self._silent + 1
        if self._silent >= SILENT_ROUNDS:
            raise WorkspaceUnavailable("the endpoint does not answer any more")
        seen = self._seen(new, old, sample)
        return seen + self._counted(chosen, sample, judged=not seen.shared)

    def close(self) -> None:
        """Close the connections."""
        for each in (self._new, self._old, self._callers):
            each.close()

    def _seen(self, new: Exchange | None, old: Exchange | None, sample: Sample) -> Observation:
        given, expected = _predictions(new, self._contract, sample), _predictions(old, self._contract, sample)
        if expected is None:
            # What the signature of the one that serves promises is not known here: any predictions of it are good,
            # and what both answer alike against the new signature is no fault of the new version.
            expected = _predictions(old, _ANYTHING, sample)
            given = _predictions(new, _ANYTHING, sample) if given is None and expected is not None else given
        if given is None and expected is None:
            return Observation(shared=1)
        asked = Observation(
            requests=1, errors=int(given is None), requests_beside=1, errors_beside=int(expected is None)
        )
        if new is None or given is None:
            return asked
        timed = self._rounds > WARM_UP
        if old is None or expected is None:
            return replace(asked, alone=(new.seconds * 1000,) if timed else ())
        return replace(
            asked,
            pairs=((new.seconds * 1000, old.seconds * 1000),) if timed else (),
            predictions=len(expected),
            squares=len(expected) ** 2,
            different=self._different(given, expected),
        )

    def _different(self, new: list[Json], old: list[Json]) -> int:
        if len(new) != len(old):
            return len(old)
        return sum(not same(a, b, tolerance=self._tolerance) for a, b in zip(new, old, strict=True))

    def _counted(self, chosen: Exchange | None, sample: Sample, *, judged: bool) -> Observation:
        """Count a request that the traffic decided over; its answer counts for the new version when that gave it.

        It is not `judged` when both versions have just failed the same request.
        """
        if chosen is None:
            return Observation()
        hit = int(judged and chosen.deployment == self._name)
        failed = hit and _predictions(chosen, self._contract, sample) is None
        return Observation(requests=hit, errors=int(failed), answered={chosen.deployment: 1})


def _asked(endpoint: EndpointClient, request: ScoringRequest) -> Exchange | None:
    """Return the exchange, None when nothing came back in time."""
    try:
        ask(endpoint, request)
    except WorkspaceUnavailable:
        return None
    return endpoint.last


def _predictions(exchange: Exchange | None, contract: ModelContract, sample: Sample) -> list[Json] | None:
    """Return what a good answer predicts, as `contract` promises it; None for any other answer, and for none."""
    if exchange is None or exchange.answer.status != 200:
        return None
    try:
        given = exchange.answer.json()
        rows = sample.rows or (len(given) if isinstance(given, list) else 0)
        return predictions_of(contract, given, rows) or None
    except (ValueError, RecursionError, WrongAnswer):
        return None

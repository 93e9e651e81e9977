"""Plans, drawn by hypothesis, and the hundred requests of each: every route of the workspace's tables, spoilt."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from mlflow.server import handlers

from amlocal.core.http import Route
from tests.fuzz.mutation import Spice, body_for
from tests.fuzz.requests import Request
from tests.fuzz.words import (
    AUTHORIZATIONS,
    HEADER_VALUES,
    HEADERS,
    KEYS,
    METHODS,
    NUMBERS,
    OTHER_SEGMENTS,
    QUERY_KEYS,
    QUERY_VALUES,
    RAW_SEGMENTS,
    SEGMENTS,
    TEXTS,
)

_FURNISHED = 0.3  # of the plans: they put back what others have deleted
_MLFLOW_SHARE = 0.03  # of the requests: MLflow takes some twenty times as long as the workspace for one
_BODIED = ("PUT", "POST", "PATCH")
_texts = st.sampled_from(TEXTS) | st.text(max_size=12)
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | _texts, inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What hypothesis draws: to draw each request would take it thirty times as long as the server needs for one.

    Surrogates, which `json` writes as `\\ud800`, are among the texts and left out where bytes are made of them.
    """

    seed: int
    texts: tuple[str, ...]
    values: tuple[Any, ...]


PLANS: st.SearchStrategy[Plan] = st.builds(
    Plan,
    st.integers(0, 2**63),
    st.lists(_texts, max_size=8).map(tuple),
    st.lists(_values, max_size=6).map(tuple),
)


def mlflow_routes() -> list[tuple[str, str]]:
    """Return method and path of every operation of MLflow's own server, its pages' included."""
    found = {
        (method, "/mlflow" + path.replace("<path:", "<").replace("<", "{").replace(">", "}"))
        for path, _, methods in handlers.get_endpoints()  # type: ignore[no-untyped-call]
        for method in methods
    }
    pages = {("GET", f"/mlflow{path}") for path in ("/", "/get-artifact", "/version", "/health", "/static-files/x")}
    return sorted(found | pages)


class Requests:
    """Requests to the workspace's routes, a few in a hundred to those of MLflow, which serves some."""

    def __init__(self, routes: Sequence[Route], token: str, secret: str, furnishing: Sequence[Request]) -> None:
        pairs = sorted({(route.method, route.path) for route in routes})
        own = [pair for pair in pairs if not pair[1].startswith("/mlflow")]
        # Storage takes few methods outside of its containers, and has two names.
        self._own = own + [(method, path) for method, path in own if "/devstore" not in path or "blob:" in path] * 2
        tracking = [pair for pair in pairs if pair[1].startswith("/mlflow")]
        offered = mlflow_routes()
        served = [row for row in offered if row[1].startswith(("/mlflow/api/2.0", "/mlflow/graphql"))]
        served = [row for row in served if "/runs/" in row[1] or "/experiments/" in row[1] or "graph" in row[1]]
        self._mlflow = [served, served, offered, tracking]
        self._bearer = ("authorization", f"Bearer {token}".encode())
        self._secret = secret.encode()
        self._furnishing = furnishing

    def of(self, plan: Plan, count: int, origin: str) -> Iterator[Request]:
        """Yield the requests of a plan, the same for the same plan and origin."""
        chance = random.Random(f"{origin} {plan.seed}")
        spice = Spice(chance, plan.texts, plan.values)
        furnishing = self._furnishing if chance.random() < _FURNISHED else ()
        yield from furnishing[:count]
        for _ in range(count - len(furnishing)):
            rows = chance.choice(self._mlflow) if chance.random() < _MLFLOW_SHARE else self._own
            yield self._one(*chance.choice(rows), spice, origin)

    def _one(self, method: str, path: str, spice: Spice, origin: str) -> Request:
        chance = spice.chance
        sent = chance.choice(METHODS) if chance.random() < 0.02 else method
        body = body_for(path, spice) if sent in _BODIED or chance.random() < 0.05 else b""
        known = 0.05 if sent == "DELETE" and "blob:" not in path else 0.8
        target = _path(path, spice, known) + self._asked(sent, path, spice)
        headers = [(chance.choice(HEADERS), chance.choice(HEADER_VALUES)) for _ in range(chance.choice(_FEW_HEADERS))]
        if body and chance.random() < 0.9:
            headers.append(("content-type", b"application/json"))
        kind = chance.random()
        if kind < 0.92:
            headers.append(self._bearer)
        elif kind < 0.97:
            headers.append(("authorization", chance.choice(AUTHORIZATIONS)))
        if sent == "PUT" and "/devstore" in path and kind < 0.6:
            headers.append(("x-ms-blob-type", b"BlockBlob"))
        if path.startswith("/msi") and kind < 0.6:
            headers.append(("x-identity-header", self._secret))
        return Request(path, sent, target, tuple(headers), body, origin)

    def _asked(self, method: str, path: str, spice: Spice) -> bytes:
        """Return the query of a request: that of MLflow's GETs says what others say in a body."""
        if method == "GET" and path.startswith("/mlflow/") and spice.chance.random() < 0.7:
            fields = json.loads(body_for(path, spice, raw=False))
            return b"?" + urlencode(fields, errors="replace").encode() if isinstance(fields, dict) else b""
        if path.startswith("/msi/") and spice.chance.random() < 0.5:
            return b"?resource=x&identity=" + self._secret
        return _query(spice) if spice.chance.random() < 0.5 else b""


_FEW_HEADERS = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)


def _path(pattern: str, spice: Spice, known: float) -> bytes:
    """Return a path with its variables filled in, mostly by names of what is there."""
    parts: list[bytes] = []
    for part in pattern.split("/"):
        if not part.startswith("{"):
            parts.append(part.encode() if "{" not in part else part.partition("{")[0].encode() + b"x:y")
        else:
            parts.append(_segment(parts[-1].decode("latin-1"), spice, known))
    return b"/".join(parts)


def _segment(after: str, spice: Spice, known: float) -> bytes:
    chance = spice.chance
    kind = chance.random()
    if kind < known and after in SEGMENTS:
        return chance.choice(SEGMENTS[after].split()).encode()
    if kind < 0.9:
        return chance.choice(OTHER_SEGMENTS)
    return chance.choice(RAW_SEGMENTS) if kind < 0.96 else quote(spice.text(), safe="", errors="replace").encode()


def _query(spice: Spice) -> bytes:
    """Return a query, percent-encoded mostly."""
    chance = spice.chance
    keys = [chance.choice(QUERY_KEYS) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.08:
        return b"?" + b"&".join(key.encode() + b"=" + chance.choice(RAW_SEGMENTS) for key in keys)
    return b"?" + urlencode([(key, _query_value(key, spice)) for key in keys], errors="replace").encode()


def _query_value(key: str, spice: Spice) -> str:
    kind = spice.chance.random()
    if kind < 0.6 and key in QUERY_VALUES:
        return spice.chance.choice(QUERY_VALUES[key])
    return spice.text() if kind < 0.8 else str(spice.number())

"""Requests that are nearly right: each route of the workspace's own tables, its body, query and headers mutated."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from mlflow.server import handlers

from amlocal.core.http import Route
from tests.fuzz.bodies import ARM, MLFLOW


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, to the byte but for its framing; `route` is the pattern that it comes from."""

    route: str
    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    def curl(self, origin: str) -> str:
        """Return the request as a line for a shell; `$TOKEN` is what the workspace's identity endpoint gives."""
        headers = " ".join(f"-H {_shown(name, value)}" for name, value in self.headers)
        body = f" --data-binary {_shell(self.body)}" if self.body else ""
        target = _shell(origin.encode() + self.target)
        return f"curl -ksi --path-as-is -g -X {self.method} {headers}{body} {target}"


def _shown(name: str, value: bytes) -> str:
    if value.startswith(b"Bearer ey") and value.count(b".") == 2 and len(value) > 200:
        return f'"{name}: Bearer $TOKEN"'
    return _shell(name.encode() + b": " + value)


def _shell(text: bytes) -> str:
    escaped = "".join(chr(byte) if 32 <= byte < 127 and byte not in (39, 92) else f"\\x{byte:02x}" for byte in text)
    return f"$'{escaped}'"


_NUMBERS = [0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**250, 1.5, -0.0, 1e308, 5e-324]
_TEXTS = [
    "", " ", "\x00", "a\x00b", "\n", "\u202e", "\U0001f600", "é", "..", "../..", "/", "a/b", "%", "%zz", "%00", "NaN",
    "null", "PT1S", "P1D", "PT0S", "PT99999999999S", "-1", "1e999", "9" * 30, "x" * 300, "azureml:", "azureml://",
    "azureml:e0:1", "azureml:e0@latest", "azureml://datastores/workspaceblobstore/paths/../x", "azureml://jobs/j0/x",
    "azureml://jobs/j0/outputs/o/paths/p", "runs:/r0/m", "https://[::1", "https://127.0.0.1/devstore", "file:///etc/x",
    "azureml://subscriptions/x/resourceGroups/y/workspaces/z/datastores/d/paths/p", "${{inputs.x}}", "${{x",
    "a: &a [*a]",
    "[" * 50, "2024-13-45", "2024-01-01T00:00:00Z", "Sat, 32 Foo", "' OR 1=1 --", "`", "metrics.", "attributes.x = 'y'",
    "metrics.m > 'x'", "name ILIKE", "AmlCompute", "AzureBlob", "mlflow_model", "Command", "uri_file", "AADToken",
]  # fmt: skip
NUMBERS, TEXTS = st.sampled_from(_NUMBERS), st.sampled_from(_TEXTS) | st.text(max_size=8)
_KEYS = sorted({
    key for bodies in (*ARM.values(), *MLFLOW.values()) for body in bodies for key in json.dumps(body).split('"')[1::2]
    if key.isidentifier()
})  # fmt: skip
KEYS = st.sampled_from(_KEYS) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=4,
)
# What no JSON writer makes: numbers that JSON cannot hold, halves of characters, depth, ends.
RAW = st.sampled_from([
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"{}}", b'{"properties": 1e999}', b'{"properties": NaN}',
    b"\xff\xfe{\x00}",
    b'{"properties": {"description": "\\ud800"}}', b'{"properties": {"tags": {"\\udfff": "x"}}}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"properties": ' + b"[" * 3000 + b"]" * 3000 + b"}", b'{"a":' * 500 + b"1" + b"}" * 500, b"[" * 100_000,
    b'{"properties": {"tags": {"a": ' + b"9" * 5000 + b"}}}", b'{"properties": {"tags": {"a": -Infinity}}}',
    b'"{\\"run_id\\": \\"r0\\"}"', b'{"run_id": "r0", "metrics": [{"key": "m", "value": 1e400}]}', b"\x00",
    b"\xef\xbb\xbf{}",
    b'{"value": "Infinity", "key": "m", "run_id": "r0", "timestamp": 99999999999999999999999}', b"a=b&c=d", b"<x/>",
])  # fmt: skip
QUERY_KEYS = st.sampled_from([
    "api-version", "$top", "$skip", "$skipToken", "$maxpagesize", "listViewType", "tag", "hash", "kind", "isDefault",
    "stage",
    "resource", "token", "sig", "sv", "sr", "sp", "se", "st", "comp", "restype", "blockid", "prefix", "marker",
    "delimiter",
    "maxresults", "include", "run_id", "run_uuid", "experiment_id", "experiment_name", "path", "metric_key",
    "max_results",
    "page_token", "filter", "order_by", "run_ids", "start_step", "end_step", "view_type", "version", "$orderBy",
    "jobType",
    "orderBy", "name", "ss", "srt", "spr",
])  # fmt: skip
HEADERS = st.sampled_from([
    "origin", "cookie", "range", "x-ms-range", "x-ms-range-get-content-md5", "if-match", "if-none-match",
    "if-modified-since",
    "if-unmodified-since", "x-ms-blob-type", "x-ms-meta-a", "x-ms-meta-", "content-type", "content-md5", "accept",
    "host",
    "x-ms-version", "x-ms-date", "x-ms-client-request-id", "x-request-id", "azureml-model-deployment",
    "accept-encoding",
    "repeatability_request-id", "x-identity-header", "x-ms-copy-source", "content-encoding", "transfer-encoding-x",
    "user-agent",
    "x-ms-blob-content-type", "x-ms-blob-content-md5", "date", "x-ms-file-range",
])  # fmt: skip
_HEADER_TEXTS = [
    b"", b"x", b"http://[::1", b"null", b"bytes=0-", b"bytes=5-1", b"bytes=999999999999999999999-", b"bytes=-5",
    b"*", b"\xff\xe9",
    b"Mon, 99 Foo 2024 99:99:99 GMT", b"Wed, 21 Oct 2015 07:28:00 GMT", b"BlockBlob", b"PageBlob",
    b"application/json", b"=" * 9,
    b"text/plain; charset=\xff", b"2023-11-03", b"9" * 40, b"YWJj", b"a=b; c", b"d0d", b"r0",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded", b"application/octet-stream", b"gzip", b"\xc2\xa0", b"true", b"127.0.0.1:[",
    b"application/json; charset=utf-16", b"application/json; charset=no-such", b"Thu, 01 Jan 0001 00:00:00 -2359",
]  # fmt: skip
HEADER_VALUES = st.sampled_from(_HEADER_TEXTS)
RAW_SEGMENTS = st.sampled_from([
    b"%00", b"%ff", b"%", b"%zz", b"%2e%2e", b"..", b"%2F", b"a%0Ab", b"%F0%9F%98%80", b"%ED%A0%80", b"x" * 300,
    b"\xe9", b"@", b":",
    b"a:b", b"%25", b"$", b"'", b"[", b";", b"^", b"oe:x", b"jc:x:j0", b"-", b"0", b"1", b"99999999999999999999",
    b"%00..",
])  # fmt: skip
GOOD_SEGMENTS = {
    "name": "e0 m0 d0 c0 j0 workspaceblobstore cpu-cluster", "version": "1 2 latest", "endpoint": "onl0 bat0 absent",
    "deployment": "d0d absent", "container": "box azureml absent", "blob": "b0 f/b1 absent", "job": "j0 absent",
    "experiment": "x", "run": "r0", "operation": "co:x:y jc:x:j0", "path": "0/r0/artifacts/f r0/artifacts", "node": "0",
    "rest": "x api/2.0/mlflow/runs/get get-artifact graphql",
}  # fmt: skip


def mlflow_routes() -> list[tuple[str, str]]:
    """Return method and path of every operation of MLflow's own server, its pages' included."""
    found = {
        (method, "/mlflow" + path.replace("<path:", "<").replace("<", "{").replace(">", "}"))
        for path, _, methods in handlers.get_endpoints()  # type: ignore[no-untyped-call]
        for method in methods
    }
    pages = {("GET", f"/mlflow{path}") for path in ("/", "/get-artifact", "/version", "/health", "/static-files/x")}
    return sorted(found | pages)


def requests(routes: list[Route], token: str) -> st.SearchStrategy[Request]:
    """Return requests to the workspace's routes; three in sixteen go to those of MLflow, which serves some."""
    own = sorted({(route.method, route.path) for route in routes})
    served = [row for row in mlflow_routes() if row[1].startswith(("/mlflow/api/2.0", "/mlflow/graphql"))]
    served = [row for row in served if "/runs/" in row[1] or "/experiments/" in row[1] or "graph" in row[1]]
    rows = st.one_of(*[st.sampled_from(own)] * 13, *[st.sampled_from(mlflow_routes())] * 2, st.sampled_from(served))
    return _request(rows, token)


@st.composite
def _request(draw: st.DrawFn, rows: st.SearchStrategy[tuple[str, str]], token: str) -> Request:
    method, path = draw(rows)
    chance = draw(st.integers(0, 999))
    if chance % 50 == 0:
        method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]))
    body = draw(_bodies(path)) if method in ("PUT", "POST", "PATCH") or chance % 20 == 0 else b""
    target = draw(_paths(path)) + (draw(_queries()) if chance % 3 else b"")
    headers = draw(st.lists(st.tuples(HEADERS, HEADER_VALUES), max_size=2)) if chance % 4 == 0 else []
    if chance % 10 != 1:
        bearer = f"Bearer {token}".encode()
        headers.append(("authorization", draw(_AUTHORIZATIONS) if chance % 10 == 2 else bearer))
    return Request(path, method, target, tuple(headers), body)


_AUTHORIZATIONS = st.sampled_from([
    b"", b"Bearer", b"Bearer ", b"Bearer x", b"Bearer a.b.c", b"bearer \xff", b"SharedKey devstore:x", b"SharedKey",
    b"Basic eDp5",
    b"SharedKey devstore:\xe9", b"Bearer " + b"x" * 5000, b"Bearer eyJhbGciOiJub25lIn0.e30.", b"SharedKey :",
])  # fmt: skip


@st.composite
def _paths(draw: st.DrawFn, pattern: str) -> bytes:
    """Return a path with its variables filled in."""
    parts: list[bytes] = []
    for part in pattern.split("/"):
        if not part.startswith("{"):
            parts.append(part.encode() if "{" not in part else part.partition("{")[0].encode() + b"x:y")
            continue
        name = part.strip("{}").partition(":")[0]
        known = GOOD_SEGMENTS.get(name, "r0 x 1").split()
        kind = draw(st.integers(0, 9))
        if kind < 7:
            parts.append(known[kind % len(known)].encode())
        elif kind < 9:
            parts.append(draw(RAW_SEGMENTS))
        else:
            parts.append(quote(draw(TEXTS), safe="").encode())
    return b"/".join(parts)


@st.composite
def _queries(draw: st.DrawFn) -> bytes:
    """Return a query, percent-encoded mostly."""
    pairs = draw(st.lists(st.tuples(QUERY_KEYS, TEXTS | NUMBERS.map(str)), max_size=3))
    if draw(st.integers(0, 9)) == 0:
        return b"?" + b"&".join(key.encode() + b"=" + draw(RAW_SEGMENTS) for key, _ in pairs)
    return b"?" + urlencode(pairs).encode()


def _bodies(path: str) -> st.SearchStrategy[bytes]:
    """Return bodies for a path: one as it should be, mutated; or what is none."""
    for table in (MLFLOW, ARM):
        for part, bodies in table.items():
            if part and part in path and (table is MLFLOW) == path.startswith("/mlflow"):
                return _either(st.sampled_from(bodies))
    if path.startswith("/mlflow"):
        return _either(st.sampled_from(MLFLOW[""]))
    blocks = b"<?xml version='1.0'?><BlockList><Latest>YQ==</Latest></BlockList>"
    return st.sampled_from([b"", b"abc", blocks, blocks[:40], b"<!DOCTYPE x>" + blocks]) | st.binary(max_size=9)


def _either(valid: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[bytes]:
    mutated = _mutated(valid)
    return st.integers(0, 9).flatmap(lambda number: RAW if number == 0 else mutated)


@st.composite
def _mutated(draw: st.DrawFn, valid: st.SearchStrategy[dict[str, Any]]) -> bytes:
    body = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(0, 3))):
        places = _places(body)
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        draw(st.sampled_from(_MUTATIONS))(draw, holder, key)
    return json.dumps(body).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every member and item at any depth, as what holds it and its key."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
    return found


def _replace(draw: st.DrawFn, holder: Any, key: Any) -> None:
    holder[key] = draw(VALUES)


def _remove(_: st.DrawFn, holder: Any, key: Any) -> None:
    del holder[key]


def _wrap(_: st.DrawFn, holder: Any, key: Any) -> None:
    holder[key] = [holder[key]] if isinstance(holder[key], dict) else {"x": holder[key]}


def _rename(draw: st.DrawFn, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[draw(KEYS)] = holder.pop(key)


def _as_text(_: st.DrawFn, holder: Any, key: Any) -> None:
    holder[key] = json.dumps(holder[key])


def _deepen(draw: st.DrawFn, holder: Any, key: Any) -> None:
    for _ in range(draw(st.sampled_from([5, 60, 99, 120]))):
        holder[key] = [holder[key]]


_MUTATIONS: list[Callable[[st.DrawFn, Any, Any], None]] = [
    _replace, _replace, _replace, _replace, _remove, _wrap, _rename, _as_text, _deepen,
]  # fmt: skip

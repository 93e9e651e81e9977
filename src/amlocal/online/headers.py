"""Which headers pass between a caller and a scoring script: all that are neither a connection's nor Azure's own."""

from collections.abc import Iterable, Mapping

NO_HEADERS: Mapping[str, str] = {}
# RFC 9110, 7.6.1, and what is said anew on each connection.
_HOP = {
    "connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
}  # fmt: skip
# The endpoint's key or token is for the endpoint: a script is not to learn it.
_FROM_CALLER = _HOP | {"authorization", "content-type", "accept-encoding"}
# The body comes decoded, and its type beside it.
_FROM_SCRIPT = _HOP | {"content-encoding", "content-type", "date", "server"}
_OWN = ("azureml-model-", "ms-azureml-", "x-ms-run-", "x-ms-request-id", "x-request-id")


def to_script(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call, keys in lower case, that reach the script."""
    return {name: value for name, value in headers.items() if name not in _FROM_CALLER}


def from_script(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers of an answer that reach the caller, keys in lower case, those of one name joined."""
    found: dict[str, str] = {}
    for key, value in headers:
        name = key.lower()
        if name not in _FROM_SCRIPT and not name.startswith(_OWN):
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found

"""How a deployed model is asked: request, response, and an online endpoint over HTTPS, its key in the header alone."""

import ipaddress
import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import requests
from requests.utils import get_environ_proxies

from mlgates.core.errors import WorkspaceUnavailable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

DEPLOYMENT = "azureml-model-deployment"
"""The header that picks a deployment, whatever the traffic; answers carry the one that served."""
MODEL_STATUS = "ms-azureml-model-error-statuscode"
"""The header of a 424 in which Azure ML tells what the model's own process answered."""
_SOON_S = 10.0
_REQUEST_IDS = ("x-request-id", "x-ms-request-id", "x-ms-client-request-id")
JSON_HEADERS: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """One call of a scorer, byte for byte."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_HEADERS)

    def curl(self, url: str = "$SCORING_URI") -> str:
        """Return the line that repeats the request; the key is left to the variable `KEY`."""
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        arguments = " ".join([url, *headers])
        # Bytes that are no text cannot stand in a shell line, so printf writes those.
        text = self.body.decode("utf-8", "backslashreplace")
        if text.encode() == self.body and "\0" not in text:
            return curl_line(f"{arguments} --data-binary {shlex.quote(text)}")
        octal = "".join(f"\\{byte:03o}" for byte in self.body)
        return curl_line(arguments, body=f"printf '{octal}'")


def curl_line(arguments: str, key: str = "$KEY", *, body: str = "") -> str:
    """Return the line, for any shell, that calls an endpoint with curl; the shell expands `key`, and writes `body`.

    The key goes to curl by a pipe: what is on a command line, everybody on the machine can see.
    """
    given = f'printf \'header = "Authorization: Bearer %s"\\n\' "{key}"'
    if body:
        return f"{given} | {{ {body} | curl --config /dev/fd/3 {arguments} --data-binary @-; }} 3<&0"
    return f"{given} | curl --config - {arguments}"


@dataclass(frozen=True, slots=True)
class ScoringResponse:
    """What came back, byte for byte."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def model_status(self) -> int:
        """The status of the model's own process: Azure ML's router hides its errors, 4xx and 5xx, behind 424."""
        if self.status != 424:
            return self.status
        status = next((value for name, value in self.headers.items() if name.lower() == MODEL_STATUS), "")
        return int(status) if status.isdigit() else self.status

    @property
    def text(self) -> str:
        """The body as text, JSON escapes undone."""
        text = self.body.decode("utf-8", "replace")
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            return text

    def json(self) -> Json:
        """Return the parsed body; raises `ValueError` when it is not JSON."""
        parsed: Json = json.loads(self.body)
        return parsed


class Scorer(Protocol):
    """Answers requests; whether by HTTP is its own affair."""

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        """Answer one request."""
        ...


def ask(scorer: Scorer, request: ScoringRequest) -> ScoringResponse:
    """Send `request`."""
    return scorer.score(request.body, request.headers)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is asked, and with which credential."""

    uri: str
    credential: str = field(repr=False)
    """A key or a token; never shown. Empty: none is sent."""
    deployment: str | None = None
    """Asked by name; None leaves the choice to the traffic."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer, as a person may need it: without the credential."""

    request: ScoringRequest
    answer: ScoringResponse
    uri: str
    seconds: float
    trust: str | None = None
    """The file of authorities that vouch for the endpoint; None for those of the system."""

    @property
    def request_id(self) -> str:
        """The id under which the endpoint logged the request; `unknown` when it gave none."""
        return next((value for name in _REQUEST_IDS if (value := _header(self.answer, name))), "unknown")

    @property
    def deployment(self) -> str:
        """The deployment that answered; `unknown` when the endpoint does not say."""
        return _header(self.answer, DEPLOYMENT) or "unknown"

    @property
    def curl(self) -> str:
        """The line that repeats the request; the key is left to the variable `KEY`."""
        trusting = f"--cacert {shlex.quote(self.trust)} " if self.trust else ""
        return self.request.curl(f"{trusting}{curl_past_proxy(self.uri)}{self.uri}")


def is_here(uri: str) -> bool:
    """Return whether a URI leads to this machine, which no proxy is asked for."""
    host = urlsplit(uri).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def curl_past_proxy(uri: str) -> str:
    """Return the option that curl needs to ask this machine directly, with a blank; nothing where no proxy is set."""
    proxies = getproxies_environment().keys() - {"no"}
    return "--noproxy '*' " if is_here(uri) and proxies else ""


class EndpointClient:
    """Asks one endpoint over one connection; `last` is the exchange before now. Not for several threads at once."""

    def __init__(self, address: Address, *, timeout_s: float = 30.0) -> None:
        self.address = address
        self.last: Exchange | None = None
        self._timeout_s = timeout_s
        self._session = requests.Session()
        # The environment is read here, and not by requests on every call: a ~/.netrc would take the place of the key.
        self._session.trust_env = False
        if not is_here(address.uri):
            self._session.proxies.update(get_environ_proxies(address.uri, no_proxy=None))
        self._trust = os.environ.get("REQUESTS_CA_BUNDLE") or None
        self._session.verify = self._trust or True

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        """Answer one request. Raises `WorkspaceUnavailable` when the endpoint cannot be reached."""
        chosen = {DEPLOYMENT: self.address.deployment} if self.address.deployment else {}
        shown = ScoringRequest(body, {**headers, **chosen})
        access = {"Authorization": f"Bearer {self.address.credential}"} if self.address.credential else {}
        sent = {**shown.headers, **access}
        try:
            got = self._session.post(self.address.uri, data=body, headers=sent, timeout=self._timeout_s)
        except requests.RequestException as error:
            raise WorkspaceUnavailable(f"{self.address.uri} cannot be reached: {error}") from error
        answer = ScoringResponse(got.status_code, got.content, dict(got.headers))
        self.last = Exchange(shown, answer, self.address.uri, got.elapsed.total_seconds(), self._trust)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


Reach: TypeAlias = Callable[[Address], EndpointClient]
"""Opens a connection to a deployment."""


def reach(address: Address) -> EndpointClient:
    """Open a connection that does not wait long: a request that takes longer counts as not answered."""
    return EndpointClient(address, timeout_s=_SOON_S)


def _header(answer: ScoringResponse, name: str) -> str | None:
    return next((value for key, value in answer.headers.items() if key.lower() == name), None)

"""An online endpoint as a scorer: one HTTPS connection, the key in the header and nowhere else."""

import ipaddress
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import requests
from requests.utils import get_environ_proxies

from mlgates.core.errors import WorkspaceUnavailable
from mlgates.scoring.answer import Answer
from mlgates.scoring.request import Request

DEPLOYMENT = "azureml-model-deployment"
"""The header that picks a deployment, whatever the traffic; answers carry the one that served."""
_REQUEST_IDS = ("x-request-id", "x-ms-request-id", "x-ms-client-request-id")


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

    request: Request
    answer: Answer
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
    """Tell whether a URI leads to this machine, which no proxy is asked for."""
    host = urlsplit(uri).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def curl_past_proxy(uri: str) -> str:
    """Return the option that curl needs to ask this machine directly, with a blank; nothing where no proxy is set."""
    proxies = getproxies_environment().keys() - {"no"}
    return "--noproxy '*' " if is_here(uri) and proxies else ""


class Endpoint:
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

    def score(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one request. Raises `WorkspaceUnavailable` when the endpoint cannot be reached."""
        chosen = {DEPLOYMENT: self.address.deployment} if self.address.deployment else {}
        shown = Request(body, {**headers, **chosen})
        access = {"Authorization": f"Bearer {self.address.credential}"} if self.address.credential else {}
        sent = {**shown.headers, **access}
        try:
            got = self._session.post(self.address.uri, data=body, headers=sent, timeout=self._timeout_s)
        except requests.RequestException as error:
            raise WorkspaceUnavailable(f"{self.address.uri} cannot be reached: {error}") from error
        answer = Answer(got.status_code, got.content, dict(got.headers))
        self.last = Exchange(shown, answer, self.address.uri, got.elapsed.total_seconds(), self._trust)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _header(answer: Answer, name: str) -> str | None:
    return next((value for key, value in answer.headers.items() if key.lower() == name), None)

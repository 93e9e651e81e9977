"""Gets the bytes behind an address, and notices soon when there is no way to it."""

import queue
import threading

import requests

from diabetes.dataset.errors import Unavailable

_Answer = requests.Response | requests.RequestException


def fetch(url: str, *, patience_s: float = 5.0) -> bytes:
    """Return the body. Raises `Unavailable`, with the reason, also when nothing comes for `patience_s`.

    Proxy and certificate settings of the environment hold, as for every use of requests.
    """
    answer = _ask(url, patience_s)
    try:
        if isinstance(answer, requests.RequestException):
            raise answer
        with answer:
            answer.raise_for_status()
            return answer.content
    except requests.RequestException as error:
        raise Unavailable(f"{url}: {_reason(error)}") from error


def _ask(url: str, patience_s: float) -> _Answer:
    # The timeout of requests starts anew for each address of the host and does not cover the search for its name,
    # which can rest half a minute. A daemon thread is left behind then, and does not keep the program from ending.
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(requests.get(url, stream=True, timeout=patience_s))
        except requests.RequestException as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=patience_s)
    except queue.Empty:
        return requests.Timeout(f"no answer within {patience_s:g} s")


def _reason(error: BaseException) -> str:
    """Return the first cause: what the libraries wrap around it is long and names the address again."""
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__

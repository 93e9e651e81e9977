"""Gets the published file by pooch, which checks its bytes, and notices soon when there is no way to it."""

import queue
import tempfile
import threading
from pathlib import Path

import pooch
import requests

from diabetes_dataset.errors import DatasetError, Unavailable
from diabetes_dataset.source import Source


def fetch(source: Source, *, patience_s: float = 5.0) -> bytes:
    """Return the content, which has the declared checksum.

    Raises `Unavailable`, with the reason, also when nothing comes for `patience_s`, and `DatasetError` for another
    content. Proxy and certificate settings of the environment hold, as for every use of requests.
    """
    pooch.get_logger().setLevel("WARNING")  # it would announce the temporary file
    with tempfile.TemporaryDirectory(prefix="diabetes-", ignore_cleanup_errors=True) as folder:
        answer = _ask(source, Path(folder), patience_s)
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, requests.RequestException):
        raise Unavailable(f"{source.url}: {_reason(answer)}") from answer
    if isinstance(answer, ValueError):
        raise DatasetError(
            f"{source.url}: what came has another checksum and was thrown away ({str(answer).partition('. ')[0]}); "
            "a proxy may have answered in its place: fetch the file yourself and name it with --file"
        ) from answer
    if isinstance(answer, OSError):
        raise DatasetError(f"{source.url}: cannot be kept while it is fetched ({answer})") from answer
    raise answer


def _ask(source: Source, folder: Path, patience_s: float) -> bytes | Exception:
    # The timeout of requests starts anew for each address of the host and does not cover the search for its name,
    # which can rest half a minute. A daemon thread is left behind then, and does not keep the program from ending.
    answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    answered = threading.Event()
    by_http = pooch.HTTPDownloader(timeout=patience_s, hooks={"response": lambda *_, **__: answered.set()})

    def ask() -> None:
        known = f"sha256:{source.sha256}"
        try:
            file = pooch.retrieve(source.url, known, fname="content", path=folder, downloader=by_http)
            answers.put(Path(file).read_bytes())
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            answers.put(error)
        finally:
            answered.set()

    threading.Thread(target=ask, daemon=True).start()
    if not answered.wait(patience_s):
        return requests.Timeout(f"no answer within {patience_s:g} s")
    return answers.get()


def _reason(error: BaseException) -> str:
    """Return the first cause: what the libraries wrap around it is long and names the address again."""
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__

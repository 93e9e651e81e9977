"""Inputs from elsewhere: one file from an https URL."""

import threading
from pathlib import Path
from urllib.parse import unquote_to_bytes

import httpx

from amlocal.jobs.failure import Interrupted, JobFailure

_TIMEOUT_S = 60.0  # without a byte


def download(name: str, url: str, folder: Path, stop: threading.Event) -> Path:
    """Fetch the file at `url` into `folder` for the input `name`; return its path. `stop` ends it between two pieces.

    Raises `JobFailure` with the reason when it cannot be fetched, `Interrupted`.
    """
    try:
        target = folder / file_name(url)
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                if stop.is_set():
                    raise Interrupted(f"stopped while input {name} was fetched")
                file.write(piece)
    # The latter two are what httpx makes of a proxy in the environment that it cannot use.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise JobFailure(f"The input {name} cannot be fetched from {url}: {error}.") from error
    return target


def file_name(url: str) -> str:
    """Return the last part of a URL's path as the name of a file, `content` where it cannot be one.

    Raises `httpx.InvalidURL`.
    """
    last = httpx.URL(url).raw_path.partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
    name = unquote_to_bytes(last).decode(errors="replace")
    return "content" if name in ("", ".", "..") or {"/", "\0"}.intersection(name) else name

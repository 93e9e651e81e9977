"""MLflow's tracking server in a process of its own: `python -m amlocal.tracking.child`."""

import hmac
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Mapping
from typing import IO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from amlocal.tracking.protocol import SECRET_HEADER, SECRET_VARIABLE

# MLflow loads without these (mlflow-skinny is MLflow without them) and its tracking server does not use them.
# Hidden, they cost nothing: the start takes 4 s and 140 MB in place of 7 s and 250 MB. `azureml` is a plug-in for
# clients of Azure.
_NOT_NEEDED = ("azureml", "numpy", "pandas", "pyarrow")


class SecretCheck:
    """Lets only the parent in."""

    def __init__(self, app: WSGIApplication, secret: str) -> None:
        self._app = app
        self._secret = secret

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, 403 to anyone else's."""
        given = environ.get("HTTP_" + SECRET_HEADER.upper().replace("-", "_"), "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Only the workspace that started this server may call it.\n"]
        return self._app(environ, start_response)


def end_with(parent: IO[bytes]) -> None:
    """End the process when `parent` does: its end of the pipe closes, however it died."""
    parent.read()
    os._exit(0)  # MLflow's database is safe at any moment, and threads may be anywhere


def announce(port: int) -> None:
    """Tell the parent where MLflow answers, in the only line that it reads; the rest of what is printed is log."""
    print(port, flush=True)  # noqa: T201 - standard output is the pipe to the parent
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def main(environ: Mapping[str, str]) -> None:
    """Serve until the parent ends."""
    threading.Thread(target=end_with, args=(sys.stdin.buffer,), daemon=True).start()
    for name in _NOT_NEEDED:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python marks a module as not to be found
    warnings.filterwarnings("ignore", 'Failure attempting to register .* "azureml"')
    from amlocal.tracking.mlflow_server import serve  # noqa: PLC0415 - it imports MLflow, which reads what was set above

    serve(lambda app: SecretCheck(app, environ[SECRET_VARIABLE]), announce)


if __name__ == "__main__":
    main(os.environ)

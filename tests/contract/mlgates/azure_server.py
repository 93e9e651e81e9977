"""Microsoft's inference server around `azure_entry.py`, asked many requests in one process of its own.

The server is configured by environment variables when it is imported, and takes the process over (logging, print), so
it gets one; requests and answers go through files. As a program: `azure_server.py REQUESTS ANSWERS`.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mlgates.endpoint_client import ScoringRequest, ScoringResponse


def ask_all(model: Path, requests: Sequence[ScoringRequest], scratch: Path) -> list[ScoringResponse]:
    """Return what the server answers to each request, in order."""
    asked, answered = scratch / "requests.json", scratch / "answers.json"
    asked.write_text(json.dumps([[base64.b64encode(r.body).decode(), dict(r.headers)] for r in requests]))
    server = {
        "AML_APP_ROOT": str(Path(__file__).parent),
        "AZUREML_ENTRY_SCRIPT": "azure_entry.py",
        "AZUREML_MODEL_DIR": str(model),
    }
    command = [sys.executable, "-W", "ignore", __file__, str(asked), str(answered)]
    done = subprocess.run(command, env={**os.environ, **server}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the server did not come up:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return [ScoringResponse(status, base64.b64decode(body)) for status, body in json.loads(answered.read_text())]


def main(asked: Path, answered: Path) -> None:
    from azureml_inference_server_http.server.create_app import create  # type: ignore[import-untyped]  # noqa: PLC0415 - reads the environment

    client = create().test_client()
    answers = []
    for body, headers in json.loads(asked.read_text()):
        got = client.post("/score", data=base64.b64decode(body), headers=headers)
        answers.append([got.status_code, base64.b64encode(got.data).decode()])
    answered.write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

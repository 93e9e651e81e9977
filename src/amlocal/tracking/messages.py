"""The bodies of calls to MLflow's API, decoded as MLflow will decode them."""

import json
from typing import Any

from amlocal.core.errors import BadRequest


def body_of(content: bytes) -> dict[str, Any]:
    """Return the decoded body of a client's call. Raises `BadRequest`: MLflow would take what is no JSON for nothing.

    Old clients encode twice, and MLflow decodes as often.
    """
    try:
        body = json.loads(content)
        body = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BadRequest("The request body must be a JSON object.")
    return body

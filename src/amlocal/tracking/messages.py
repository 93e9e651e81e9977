"""The bodies of calls to MLflow's API, decoded as MLflow will decode them."""

from typing import Any

from amlocal.core.decoding import read_json
from amlocal.core.errors import BadRequest
from amlocal.tracking.layout import MAX_BODY


def body_of(content: bytes) -> dict[str, Any]:
    """Return the decoded body of a client's call. Raises `BadRequest`: MLflow would take what is no JSON for nothing.

    Old clients encode twice, and MLflow decodes as often.
    """
    try:
        body = read_json(content, MAX_BODY)
        body = read_json(body, MAX_BODY) if isinstance(body, str) else body
    except ValueError as error:
        raise BadRequest(f"The request body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BadRequest("The request body must be a JSON object.")
    return body

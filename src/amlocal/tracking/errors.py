"""What goes wrong in tracking, as MLflow's clients read it: `{"error_code", "message"}`."""

from collections.abc import Awaitable, Callable

from amlocal.core.errors import ApiError
from amlocal.core.http import Call, Reply

AsyncHandler = Callable[[Call], Awaitable[Reply]]

# MLflow's names of HTTP statuses (mlflow.exceptions.ERROR_CODE_TO_HTTP_STATUS, the other way round)
_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    424: "TEMPORARILY_UNAVAILABLE",
    501: "NOT_IMPLEMENTED",
}


class TrackingUnavailable(ApiError):
    """424: MLflow's server is not there to ask.

    Not 503: MLflow's client sends a request that met 500, 502, 503 or 504 again for minutes, and its user sees nothing.
    """

    def __init__(self, message: str) -> None:
        super().__init__(424, message)


class InvalidArtifactPath(ApiError):
    """400: the path leaves the run's artifacts, or is not one that MLflow's clients send."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(400, f"Invalid artifact path {path!r}: {reason}.")


def mlflow_error(error: ApiError) -> Reply:
    """Return the answer that MLflow's client turns into an exception with this error's message."""
    return Reply(error.status, {"error_code": _CODES.get(error.status, "INTERNAL_ERROR"), "message": error.message})


def in_mlflow_terms(handler: AsyncHandler) -> AsyncHandler:
    """Have the handler's errors answered in MLflow's shape."""

    async def answer(call: Call) -> Reply:
        try:
            return await handler(call)
        except ApiError as error:
            return mlflow_error(error)

    return answer

"""What can go wrong, as values that carry their own answer."""

from collections.abc import Sequence


class AmlocalError(Exception):
    """The base of every error that amlocal raises on purpose; its text is one line for a person."""


class ApiError(AmlocalError):
    """An answer that is not a success, in Azure's terms.

    `status` is the HTTP status, `code` the envelope's code (`UserError` is what Azure ML uses for assets, WIRE
    "Error envelope"), `details` pairs of code and message. `inner` names the envelope's InnerError, if it has one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "UserError",
        details: Sequence[tuple[str, str]] = (),
        inner: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.inner = inner


class NotFound(ApiError):
    """404 with Azure ML's envelope."""

    def __init__(
        self, message: str, *, details: Sequence[tuple[str, str]] = (), inner: str | None = "NotFoundError"
    ) -> None:
        super().__init__(404, message, details=details, inner=inner)


class Conflict(ApiError):
    """409: the name is taken by something else, and what is there stays as it is."""

    def __init__(self, message: str) -> None:
        super().__init__(409, message)


class BadRequest(ApiError):
    """400: the request cannot be meant as it stands."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message, inner="BadArgument")


class MethodNotAllowed(ApiError):
    """405: the path is served, but not by this method; `allowed` are those that it takes."""

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(405, message, code="MethodNotAllowed")
        self.allowed = tuple(allowed)


class Forbidden(ApiError):
    """403 in Azure Resource Manager's words: the token is good, and not for this."""

    def __init__(self, job: str, action: str, scope: str) -> None:
        super().__init__(
            403,
            f"The client 'job {job}' does not have authorization to perform action '{action}' over scope '{scope}'. "
            "A job's token opens its own run, its inputs and its outputs (docs/amlocal.md).",
            code="AuthorizationFailed",
        )


class Unauthorized(ApiError):
    """401: no token, or one that this workspace did not sign or that has expired."""

    def __init__(self, message: str) -> None:
        super().__init__(401, message, code="InvalidAuthenticationToken")

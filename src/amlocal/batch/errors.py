"""How Azure ML answers for what a workspace does not have."""

from amlocal.core.errors import ApiError


def no_endpoint(name: str, workspace: str) -> ApiError:
    """Return the 404 of an endpoint; batch endpoints have a code and a detail of their own."""
    return _missing("NoSuchEndpoint", f"There is no endpoint with name: {name} in {workspace}")


def no_deployment(name: str, endpoint: str) -> ApiError:
    """Return the 404 of a deployment."""
    return _missing("NoSuchDeployment", f"There is no deployment with name: {name} in endpoint {endpoint}")


def _missing(code: str, detail: str) -> ApiError:
    return ApiError(404, "The specified resource was not found.", code="NotFound", details=[(code, detail)])

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_header_goes_along() -> Iterator[None]:
    """Take back what the SDK keeps of a call in one dictionary for all calls: the deployment that was named once."""
    yield
    if fields := sys.modules.get("azure.ai.ml.constants._endpoint"):
        fields.EndpointInvokeFields.DEFAULT_HEADER.pop(fields.EndpointInvokeFields.MODEL_DEPLOYMENT, None)

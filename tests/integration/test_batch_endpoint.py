from mlgates.suites import BatchEndpointSuite


class TestBatchEndpoint(BatchEndpointSuite):
    """The endpoint that mlops/deploy/batch declares."""

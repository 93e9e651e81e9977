from mlgates.suites import BatchSmokeSuite


class TestBatchEndpoint(BatchSmokeSuite):
    """The endpoint that mlops/deploy/batch declares."""

from mlgates.suites import OnlineEndpointSuite


class TestOnlineEndpoint(OnlineEndpointSuite):
    """The endpoint that mlops/deploy/online declares."""

from mlgates.suites import OnlineSmokeSuite


class TestOnlineEndpoint(OnlineSmokeSuite):
    """The endpoint that mlops/deploy/online declares."""

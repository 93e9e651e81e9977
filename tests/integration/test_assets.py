from mlgates.suites import AssetsSuite


class TestAssets(AssetsSuite):
    """The environment and the data that mlops/continuous-training declares."""

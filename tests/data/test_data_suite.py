from mlgates.suites import DataSuite


class TestData(DataSuite):
    """The files that mlops declares, and their suites in data/expectations."""

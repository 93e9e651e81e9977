from mlgates.suites import RegisteredModelSuite


class TestRegisteredModel(RegisteredModelSuite):
    """The model that mlops/continuous-training/model.yml declares."""

from mlgates.suites import TrainingSuite


class TestTraining(TrainingSuite):
    """What mlops/training.yml declares."""

from mlgates.suites import TrainingJobSuite


class TestTrainingJob(TrainingJobSuite):
    """What mlops/continuous-training/pipeline.yml declares."""

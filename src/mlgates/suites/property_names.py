"""The names by which properties of training code are switched off."""

from mlgates.suites.job_properties import TrainingJobSuite
from mlgates.suites.training_suite import TrainingSuite

PROPERTIES = tuple(
    sorted(
        {
            name.removeprefix("test_")
            for suite in (TrainingSuite, TrainingJobSuite)
            for name in dir(suite)
            if name.startswith("test_")
        }
    )
)

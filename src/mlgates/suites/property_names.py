"""The names by which properties of training code are switched off."""

from mlgates.suites.training_suite import TrainingSuite

PROPERTIES = tuple(sorted(name.removeprefix("test_") for name in dir(TrainingSuite) if name.startswith("test_")))

"""The unit suite for training code: properties that hold for any training, each a test of its own.

`class TestTraining(TrainingSuite)` in a project's tests/unit has them all; mlops/training.yml says which function
trains, and which property does not hold and why.
"""

from mlgates.suites.metric_properties import MetricProperties
from mlgates.suites.oddity_properties import OddityProperties
from mlgates.suites.split_properties import SplitProperties
from mlgates.suites.surroundings_properties import SurroundingsProperties
from mlgates.suites.table_properties import TableProperties


class TrainingSuite(TableProperties, SplitProperties, MetricProperties, SurroundingsProperties, OddityProperties):
    """What must hold for a project's training function, whatever the table."""

    needs_function = True

"""What can keep the training set from being put in place."""

from diabetes.errors import DiabetesError


class DatasetError(DiabetesError):
    """The training set cannot be put in place; what was there is left as it was."""


class Unavailable(DatasetError):
    """The address of the data set gives no file: no network, no such host, a refusing proxy, an HTTP error."""

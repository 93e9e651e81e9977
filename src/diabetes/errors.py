"""What can be wrong with a training run, each said in one line a person can act on."""


class DiabetesError(Exception):
    """Base of every error that this package raises on purpose."""


class DataError(DiabetesError):
    """The table of patients cannot be trained on."""


class SettingsError(DiabetesError):
    """A run was asked for with settings that do not exist or make no sense."""


class TrackingError(DiabetesError):
    """MLflow refused or could not be reached."""

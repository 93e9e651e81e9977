"""The paths and names that the workspace and MLflow's process agree on."""

PREFIX = "/mlflow"  # what the workspace's tracking URI ends in; MLflow serves all its paths below it
RUNS = "/runs"  # where the workspace records runs: outside `PREFIX`, so no client's request gets there
ARTIFACT_ROOT = "mlflow-artifacts:/"  # a run's artifacts are then at `mlflow-artifacts:/EXPERIMENT/RUN/artifacts`
SECRET_HEADER = "X-Amlocal-Secret"  # noqa: S105 - the header's name
SECRET_VARIABLE = "AMLOCAL_TRACKING_SECRET"  # noqa: S105 - the variable's name
LENIENT_VARIABLE = "AMLOCAL_TRACKING_LENIENT"  # set: Azure's limits are not looked at
DATABASE = "mlflow.db"  # in the folder that MLflow's process runs in
CONTAINER = "azureml"  # the container of the datastore workspaceartifactstore
MAX_BODY = 16 * 2**20  # bytes: the profile of a dataset, the longest thing that MLflow takes, has as many

"""Pipeline jobs of one step, which is a job of its own that does the work."""

from amlocal.core.documents import Document

STEP = "azureml.batchscoringstep"  # the property of a pipeline job that names its step


def step_of(document: Document) -> str | None:
    """Return the name of the job that a pipeline job stands for, None for any other job."""
    name: str | None = document.body["properties"]["properties"].get(STEP)
    return name

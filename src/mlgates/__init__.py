"""Delivery through tested gates on Azure Machine Learning.

What is named here is the library: it keeps its names, and everything below it may move. A name is imported when it is
used for the first time: some bring in azure-ai-ml, MLflow or Great Expectations, which take seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlgates.config.declaring import Strict
    from mlgates.config.project import Project, find_project
    from mlgates.config.settings import Settings, load_settings
    from mlgates.contract import properties
    from mlgates.contract.model_folder import read_contract
    from mlgates.contract.pyfunc_scorer import PyfuncScorer
    from mlgates.contract.scoring_requests import served_formats
    from mlgates.contract.signature import Batch, ModelContract, same
    from mlgates.core.errors import ExitCode, MlgatesError
    from mlgates.core.gates import CheckResult, GateRecord, Verdict, bounded
    from mlgates.core.lineage import Lineage
    from mlgates.core.progress import Progress, Record, Silent
    from mlgates.core.values import AssetVersion, Job
    from mlgates.delivery.assets import register_data, register_environment
    from mlgates.delivery.batch import download_predictions, invoke_batch
    from mlgates.delivery.models import download_model, released_version
    from mlgates.delivery.online import sample_request
    from mlgates.delivery.operations import LiveBatchEndpoint, LiveOnlineEndpoint, poll_seconds, served_model, state_of
    from mlgates.delivery.training import register_job_model
    from mlgates.endpoint_client import Address, EndpointClient, Scorer, ScoringRequest, ScoringResponse, ask
    from mlgates.evaluation.errors import CouldNotRun
    from mlgates.expectations.validation import load_suite, validate
    from mlgates.gates.check_types import CheckType
    from mlgates.gates.checks.metrics import Bounds
    from mlgates.gates.evidence import Evidence
    from mlgates.pytest_plugin.workspace_fixtures import without_traceback
    from mlgates.tables import UnreadableData, read_csv, read_request, read_table

_MODULES = {
    "mlgates.config.declaring": ("Strict",),
    "mlgates.config.project": ("Project", "find_project"),
    "mlgates.config.settings": ("Settings", "load_settings"),
    "mlgates.contract": ("properties",),
    "mlgates.contract.scoring_requests": ("served_formats",),
    "mlgates.contract.model_folder": ("read_contract",),
    "mlgates.contract.pyfunc_scorer": ("PyfuncScorer",),
    "mlgates.contract.signature": ("Batch", "ModelContract", "same"),
    "mlgates.core.errors": ("ExitCode", "MlgatesError"),
    "mlgates.core.gates": ("CheckResult", "GateRecord", "Verdict", "bounded"),
    "mlgates.core.lineage": ("Lineage",),
    "mlgates.core.progress": ("Progress", "Record", "Silent"),
    "mlgates.core.values": ("AssetVersion", "Job"),
    "mlgates.delivery.assets": ("register_data", "register_environment"),
    "mlgates.delivery.batch": ("download_predictions", "invoke_batch"),
    "mlgates.delivery.models": ("download_model", "released_version"),
    "mlgates.delivery.online": ("sample_request",),
    "mlgates.delivery.operations": (
        "LiveBatchEndpoint", "LiveOnlineEndpoint", "poll_seconds", "served_model", "state_of",
    ),
    "mlgates.delivery.training": ("register_job_model",),
    "mlgates.endpoint_client": ("Address", "EndpointClient", "Scorer", "ScoringRequest", "ScoringResponse", "ask"),
    "mlgates.tables": ("UnreadableData", "read_csv", "read_request", "read_table"),
    "mlgates.expectations.validation": ("load_suite", "validate"),
    "mlgates.gates.check_types": ("CheckType",),
    "mlgates.gates.checks.metrics": ("Bounds",),
    "mlgates.evaluation.errors": ("CouldNotRun",),
    "mlgates.gates.evidence": ("Evidence",),
    "mlgates.pytest_plugin.workspace_fixtures": ("without_traceback",),
}  # fmt: skip

__all__ = [
    "Address",
    "AssetVersion",
    "Batch",
    "Bounds",
    "CheckResult",
    "CheckType",
    "CouldNotRun",
    "EndpointClient",
    "Evidence",
    "ExitCode",
    "GateRecord",
    "Job",
    "Lineage",
    "LiveBatchEndpoint",
    "LiveOnlineEndpoint",
    "MlgatesError",
    "ModelContract",
    "Progress",
    "Project",
    "PyfuncScorer",
    "Record",
    "Scorer",
    "ScoringRequest",
    "ScoringResponse",
    "Settings",
    "Silent",
    "Strict",
    "UnreadableData",
    "Verdict",
    "ask",
    "bounded",
    "download_model",
    "download_predictions",
    "find_project",
    "invoke_batch",
    "load_settings",
    "load_suite",
    "poll_seconds",
    "properties",
    "read_contract",
    "read_csv",
    "read_request",
    "read_table",
    "register_data",
    "register_environment",
    "register_job_model",
    "released_version",
    "same",
    "sample_request",
    "served_formats",
    "served_model",
    "state_of",
    "validate",
    "without_traceback",
]


def __getattr__(name: str) -> Any:
    """Import a name of `__all__` from where it lives."""
    for module, names in _MODULES.items():
        if name in names:
            found = getattr(import_module(module), name, None) or import_module(f"{module}.{name}")
            globals()[name] = found
            return found
    raise AttributeError(f"module 'mlgates' has no attribute '{name}'")

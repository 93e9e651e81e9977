"""Suites of tests that a project inherits: `from mlgates.suites import TrainingSuite`, and a class of its own."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlgates.suites.asset_suites import AssetsSuite, FinishedJobSuite, RegisteredModelSuite
    from mlgates.suites.contract_suites import ContractSuite, LiveContractSuite
    from mlgates.suites.data_suites import DataSuite
    from mlgates.suites.endpoint_suites import BatchEndpointSuite, OnlineEndpointSuite
    from mlgates.suites.job_properties import TrainingJobSuite
    from mlgates.suites.smoke_suites import BatchSmokeSuite, OnlineSmokeSuite
    from mlgates.suites.training_suite import TrainingSuite

_MODULES = {
    "AssetsSuite": "mlgates.suites.asset_suites",
    "BatchEndpointSuite": "mlgates.suites.endpoint_suites",
    "BatchSmokeSuite": "mlgates.suites.smoke_suites",
    "ContractSuite": "mlgates.suites.contract_suites",
    "DataSuite": "mlgates.suites.data_suites",
    "FinishedJobSuite": "mlgates.suites.asset_suites",
    "LiveContractSuite": "mlgates.suites.contract_suites",
    "OnlineEndpointSuite": "mlgates.suites.endpoint_suites",
    "OnlineSmokeSuite": "mlgates.suites.smoke_suites",
    "RegisteredModelSuite": "mlgates.suites.asset_suites",
    "TrainingJobSuite": "mlgates.suites.job_properties",
    "TrainingSuite": "mlgates.suites.training_suite",
}

__all__ = [
    "AssetsSuite",
    "BatchEndpointSuite",
    "BatchSmokeSuite",
    "ContractSuite",
    "DataSuite",
    "FinishedJobSuite",
    "LiveContractSuite",
    "OnlineEndpointSuite",
    "OnlineSmokeSuite",
    "RegisteredModelSuite",
    "TrainingJobSuite",
    "TrainingSuite",
]


def __getattr__(name: str) -> Any:
    """Import a suite from where it lives: some bring in MLflow or azure-ai-ml, which take seconds."""
    if name not in _MODULES:
        raise AttributeError(f"module 'mlgates.suites' has no attribute '{name}'")
    return getattr(import_module(_MODULES[name]), name)

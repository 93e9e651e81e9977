"""MLflow tracking behind the workspace's port: MLflow's server in a process of its own, artifacts in the blob store."""

from amlocal.tracking.runs import RunRecord, RunStatus
from amlocal.tracking.session import browser_link
from amlocal.tracking.tracking import Tracking

__all__ = ["RunRecord", "RunStatus", "Tracking", "browser_link"]

"""MLflow tracking behind the workspace's port: MLflow's server in a process of its own, artifacts in the blob store."""

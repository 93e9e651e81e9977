"""Batch endpoints: endpoints, deployments, and the jobs that calls of them become."""

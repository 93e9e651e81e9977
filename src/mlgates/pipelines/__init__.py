"""The pipelines: dev from a commit to its gate, prod from a build that passed it to production traffic."""

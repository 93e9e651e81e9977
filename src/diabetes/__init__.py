"""The training code: from a table of patients to a tracked, portable model."""

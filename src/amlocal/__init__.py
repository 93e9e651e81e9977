"""A local Azure Machine Learning workspace that the unmodified azure-ai-ml SDK accepts."""

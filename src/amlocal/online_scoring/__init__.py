"""What runs in a deployment's own process and environment. `frames` is all that the server shares with it.

Imports the standard library, and what any MLflow model brings along (mlflow, numpy, pandas): the environment is the
model's own, and amlocal is not installed in it. Environments are older than this project: down to Python 3.8.
"""

"""The driver of a batch job: it scores files with a model, in the job's own process and environment.

A job's environment knows nothing of amlocal, so this folder is started by its path and imports only itself, the
standard library, and what the model's environment has. Environments are older than this project: down to Python 3.8.
"""

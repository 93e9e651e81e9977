"""Delivery through tested gates on Azure Machine Learning."""

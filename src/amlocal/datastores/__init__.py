"""Datastores: names for places in blob storage, and the secrets that open them."""

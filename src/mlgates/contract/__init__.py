"""The scoring contract: what a model's signature promises to those who call it, and the means to hold it to that."""

"""The pytest plugin of mlgates."""

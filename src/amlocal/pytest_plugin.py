"""The pytest plugin of amlocal."""

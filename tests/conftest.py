"""How hard hypothesis looks: quickly by default, long with HYPOTHESIS_PROFILE=thorough, repeatably in CI."""

import os

from hypothesis import settings

# No deadline: the machines are shared, and speed is measured in benchmarks.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))

"""How hard hypothesis looks: quickly by default, repeatably in CI; HYPOTHESIS_PROFILE=thorough or full looks longer."""

import os

from hypothesis import Phase, settings

# No deadline: the machines are shared, and speed is measured in benchmarks.
settings.register_profile("quick", max_examples=10, deadline=None)
settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=500, deadline=None)
# Of the contract suite: 2,000 requests a property, format and target.
settings.register_profile("full", max_examples=2000, deadline=None)
# Of a mutant: the same examples each time, and the first that fails is enough.
settings.register_profile(
    "mutation", max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))

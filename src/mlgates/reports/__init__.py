"""What people see of a run: listeners that know events and values, and nothing of how they come about."""

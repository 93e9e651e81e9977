"""What people see of a run: writers that know facts and values, and nothing of how they come about."""

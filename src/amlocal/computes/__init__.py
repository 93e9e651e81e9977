"""Compute targets: names with a size, whose largest number of nodes is how many jobs run at once."""

"""The report that a person reads before deciding: one HTML file, no script, nothing fetched from anywhere."""

"""Versioned assets: environments, data, models, code snapshots. One mechanism, four kinds."""

"""Configuration: read once at the edge, validated whole, then handed down frozen."""

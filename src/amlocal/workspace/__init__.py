"""The workspace resource and its discovery document."""

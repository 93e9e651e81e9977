"""The way of an approved version into production traffic, and back: decided on the ledger, seen in the workspace."""

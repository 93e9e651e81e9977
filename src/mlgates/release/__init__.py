"""The release of an approved version into production traffic, and the rollback: decided by the ledger."""

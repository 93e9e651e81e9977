"""The one import of Great Expectations, and a context that is quiet, offline and kept in memory."""

import warnings
from pathlib import Path

with warnings.catch_warnings():
    # It imports modules that Python deprecates; whoever turns warnings into errors could not use it otherwise.
    warnings.simplefilter("ignore")
    import great_expectations as gx
    from great_expectations.checkpoint.actions import UpdateDataDocsAction, ValidationAction
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError, GreatExpectationsError
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

__all__ = [
    "Expectation",
    "ExpectationConfiguration",
    "ExpectationNotFoundError",
    "GreatExpectationsError",
    "afterwards",
    "gx",
    "in_memory",
    "list_registered_expectation_implementations",
]

_SITE = "local"


def in_memory(site: Path | None) -> EphemeralDataContext:
    """Return a new context: no usage statistics, no progress bars, no file but Data Docs in the folder `site`.

    Great Expectations keeps the newest context as the process's current one, so contexts are not for threads.
    """
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={_SITE: _local(site)} if site else {},
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def afterwards(site: Path | None) -> list[ValidationAction]:
    """Return what a checkpoint of such a context has to do after its validations."""
    return [UpdateDataDocsAction(name="write Data Docs", site_names=[_SITE])] if site else []


def _local(folder: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }

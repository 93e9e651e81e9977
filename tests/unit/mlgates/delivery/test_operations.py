from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import BatchEndpoint, CodeConfiguration, ManagedOnlineDeployment, ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError

from mlgates.core.errors import WorkspaceRefused
from mlgates.core.progress import Progress, Record, Silent, Step, StepNoted
from mlgates.delivery.operations import CONTENT_TAG, Change, create_or_update, definition, run_operation
from tests.unit.mlgates.fake_endpoints import FakePoller, FakeResources


@pytest.fixture
def there() -> FakeResources:
    return FakeResources()


def endpoint(**changes: Any) -> BatchEndpoint:
    return BatchEndpoint(name="e", **{"description": "one", **changes})


def step(progress: Progress | None = None) -> Step:
    return Step("endpoint", progress or Silent())


def brought_about(there: FakeResources, wanted: BatchEndpoint, progress: Progress | None = None) -> Change:
    put = lambda new, held: there.begin_create_or_update(new)  # noqa: E731
    return create_or_update(step(progress), wanted, lambda: there.get("e"), put, poll_s=0).change


def test_what_is_not_there_is_created(there: FakeResources) -> None:
    assert brought_about(there, endpoint()) is Change.CREATED


def test_what_is_as_declared_is_left_alone(there: FakeResources) -> None:
    brought_about(there, endpoint())
    assert brought_about(there, endpoint()) is Change.KEPT
    assert len(there.asked) == 1


def test_what_is_declared_otherwise_now_is_updated(there: FakeResources) -> None:
    brought_about(there, endpoint())
    assert brought_about(there, endpoint(description="two")) is Change.UPDATED


def test_an_update_is_given_what_is_there(there: FakeResources) -> None:
    brought_about(there, endpoint(tags={"old": "1"}))
    seen: list[BatchEndpoint | None] = []

    def put(new: BatchEndpoint, held: BatchEndpoint | None) -> Any:
        seen.append(held)
        return there.begin_create_or_update(new)

    create_or_update(step(), endpoint(), lambda: there.get("e"), put, poll_s=0)
    assert [held and (held.tags or {})["old"] for held in seen] == ["1"]


def test_what_failed_is_sent_again(there: FakeResources) -> None:
    there.failure = "did not come up"
    with pytest.raises(WorkspaceRefused, match="did not come up"):
        brought_about(there, endpoint())
    there.failure = None
    assert brought_about(there, endpoint()) is Change.UPDATED


def test_what_an_interrupted_run_began_is_waited_for_and_taken(there: FakeResources) -> None:
    brought_about(there, endpoint())
    there.states = ["Creating", "Updating"]
    record = Record()
    assert brought_about(there, endpoint(), record) is Change.KEPT
    assert len(record.of(StepNoted)) == 2


def test_the_tags_that_are_declared_are_kept_beside_the_fingerprint(there: FakeResources) -> None:
    brought_about(there, endpoint(tags={"team": "a"}))
    assert there.asked[0].tags.keys() == {"team", CONTENT_TAG}


def test_an_operations_way_is_reported_once_a_state() -> None:
    record = Record()
    assert run_operation(step(record), lambda: FakePoller("done", ["A", "A", "B"]), poll_s=0) == "done"  # type: ignore[arg-type, return-value]
    assert [fact.text for fact in record.of(StepNoted)] == ["A", "B"]


def test_an_operation_that_fails_is_one_clear_line() -> None:
    def begin() -> Any:
        raise HttpResponseError("the quota is used up\nand more")

    with pytest.raises(WorkspaceRefused, match=r"^cannot bring about the endpoint: the quota is used up$"):
        run_operation(step(), begin, poll_s=0)


def test_equal_definitions_have_one_fingerprint_and_others_another() -> None:
    assert definition(endpoint()) == definition(endpoint())
    assert definition(endpoint()) != definition(endpoint(description="two"))
    assert definition(ManagedOnlineEndpoint(name="e")) != definition(ManagedOnlineEndpoint(name="e", tags={"a": "b"}))


def test_the_content_of_a_scoring_script_is_part_of_the_definition(tmp_path: Path) -> None:
    def deployment() -> ManagedOnlineDeployment:
        code = CodeConfiguration(code=str(tmp_path), scoring_script="score.py")
        return ManagedOnlineDeployment(name="d", endpoint_name="e", code_configuration=code)

    (tmp_path / "score.py").write_text("one")
    before = definition(deployment())
    (tmp_path / "score.py").write_text("two")
    assert definition(deployment()) != before

"""What a job's token opens in storage."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.grants import JobGrants
from tests.unit.amlocal.jobs.desk import Desk, accepted

READ, WRITE = frozenset("rl"), frozenset("racwdl")


def grants(desk: Desk, **job: Any) -> JobGrants:
    desk.jobs.create("mine", accepted(desk.context, "mine", **job))
    return JobGrants(desk.context.identity, desk.jobs, desk.stores.lookup(), desk.stores.datastores)


def test_inputs_are_read_and_no_neighbour_of_theirs(desk: Desk) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/data/mine"
    found = grants(desk, inputs={"x": {"jobInputType": "uri_folder", "uri": uri}})
    container = desk.stores.datastores.container_of("workspaceblobstore")
    assert found.permissions("mine", container, "data/mine") == READ
    assert found.permissions("mine", container, "data/mine/a/b.csv") == READ
    for other in ("data/mine2", "data/mine2/x", "data", "data/", "", "/", "mine"):
        assert found.permissions("mine", container, other) == frozenset()
    assert found.permissions("mine", "azureml", "data/mine") == frozenset()
    assert found.permissions("other", container, "data/mine") == frozenset()


def test_outputs_and_artifacts_are_written(desk: Desk) -> None:
    found = grants(desk, outputs={"model": {}})
    container = desk.stores.datastores.container_of("workspaceblobstore")
    assert found.permissions("mine", container, "azureml/mine/model/weights") == WRITE
    assert found.permissions("mine", "azureml", "ExperimentRun/dcid.mine/outputs/x") == WRITE
    assert found.permissions("mine", "azureml", "ExperimentRun/dcid.mine2/outputs/x") == frozenset()
    assert found.permissions("mine", container, "azureml/other/model/weights") == frozenset()


def test_an_input_that_is_gone_opens_nothing(desk: Desk) -> None:
    found = grants(desk, inputs={"x": {"jobInputType": "uri_file", "uri": "azureml:gone:1"}})
    assert found.permissions("mine", "azureml", "x") == frozenset()


@given(path=st.text("ab/.", max_size=12), root=st.text("ab", min_size=1, max_size=3))
def test_what_opens_is_the_root_or_below_it(path: str, root: str) -> None:
    from amlocal.datastores.store import Location  # noqa: PLC0415
    from amlocal.jobs.grants import _holds  # noqa: PLC0415

    below = path == root or path.startswith(root + "/")
    assert _holds(Location("c", root), "c", path) == below

import pytest

from mlgates.scaffold.origin import read_origin

TOLD = {
    "an editable clone": ({"url": "file:///a%20b/clone", "dir_info": {"editable": True}}, "-e /a b/clone"),
    "a folder": ({"url": "file:///clone/packaging/mlgates", "dir_info": {}}, "mlgates @ file:///clone/packaging/mlgates"),
    "a wheel": ({"url": "file:///w/mlgates-1-py3-none-any.whl", "archive_info": {}}, "mlgates @ file:///w/mlgates-1-py3-none-any.whl"),
    "a URL": ({"url": "https://host/mlgates-1.whl", "archive_info": {}}, "mlgates @ https://host/mlgates-1.whl"),
    "a repository": (
        {"url": "https://host/r.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "sub"},
        "mlgates @ git+https://host/r.git@abc#subdirectory=sub",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("told", "requirement"), TOLD.values(), ids=TOLD.keys())
def test_a_project_gets_mlgates_from_where_it_came(told: dict[str, object], requirement: str) -> None:
    assert read_origin("mlgates", told).requirement == requirement

"""A page of a list costs the same however long the list is: counted in SQL statements and in steps of SQLite."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amlocal.core.documents import Document, Documents
from tests.unit.amlocal.asgi import Answer, Workspace, open_workspace
from tests.unit.amlocal.assets.kinds import CODES, DATA, ENVIRONMENTS, MODELS
from tests.unit.amlocal.jobs.workspace import accepted

FEW, MANY = 130, 390  # both more than a page
Copy = Callable[[Document, int], tuple[str, str, dict[str, Any]]]  # document, number -> name, version, body


def other_name(document: Document, number: int) -> tuple[str, str, dict[str, Any]]:
    return f"{document.name}-{number}", document.version, dict(document.body)


def other_version(document: Document, number: int) -> tuple[str, str, dict[str, Any]]:
    return document.name, f"{number}", dict(document.body)


@dataclass(frozen=True)
class List:
    """A list of the workspace: how its first item is made, and of which documents the others are copies."""

    path: str
    make: Callable[[Workspace], object]
    copies: dict[str, Copy]
    query: dict[str, str] = field(default_factory=dict)


def documents_of(workspace: Workspace) -> Documents:
    return workspace.app._context.documents


def finished_job(workspace: Workspace) -> None:
    properties = accepted(workspace.app._context, tags={"k": "v"})
    dates = dict.fromkeys(("started", "ended"), workspace.app._context.now())
    body = {"properties": properties, "status": "Completed", "created": dates["ended"], **dates}
    rest: dict[str, Any] = {"error": None, "warnings": [], "revision": 1, "tracked": 1}
    documents_of(workspace).put("job", "job", body | rest)


def child_job(workspace: Workspace) -> None:
    finished_job(workspace)
    parent = documents_of(workspace).get("job", "job")
    assert parent
    body = json.loads(json.dumps(parent.body))
    body["properties"]["parentJobName"] = "job"
    documents_of(workspace).put("job", "child", body)


def batch_call(workspace: Workspace) -> None:
    finished_job(workspace)
    workspace.ask("PUT", workspace.arm_of("batchEndpoints/scores"), {"location": "local", "properties": {}})
    facts = {"endpoint": "scores", "deployment": "one", "input": {"key": "k", "type": "uri_file", "uri": "u"}}
    rest: dict[str, Any] = {"compute": "cpu-cluster", "instances": 1, "retrySettings": {}}
    documents_of(workspace).put("batchCall", "job", facts | rest)


def online_deployment(workspace: Workspace) -> None:
    online_endpoint(workspace)
    shown = {"properties": {"properties": {}}, "tags": {}, "capacity": 1, "state": "Failed", "serving": None}
    dates = dict.fromkeys(("created", "modified"), workspace.app._context.now())
    documents_of(workspace).put("onlineDeployment", "scored", shown | dates, "blue")


def online_endpoint(workspace: Workspace) -> None:
    answer = workspace.ask(
        "PUT", workspace.arm_of("onlineEndpoints/scored"), {"location": "local", "properties": {"authMode": "Key"}}
    )
    assert answer.status == 201


def batch_deployment(workspace: Workspace) -> None:
    workspace.ask("PUT", workspace.arm_of("batchEndpoints/scores"), {"location": "local", "properties": {}})
    body = {"properties": {"properties": {}}, "tags": {}, "operation": "o", "apiVersion": ""}
    dates = dict.fromkeys(("created", "modified"), workspace.app._context.now())
    documents_of(workspace).put("batchDeployment", "scores", body | dates, "one")


def asset(kind: Any, **changes: Any) -> Callable[[Workspace], object]:
    return lambda workspace: kind.put(workspace, **changes)


def of_asset(collection: str) -> dict[str, Copy]:
    return {collection: other_name, f"{collection}/container": other_name}


MARKED = {"tags": {"k": "v"}, "stage": "Production"}
LISTS = {
    "models": List("models", asset(MODELS), of_asset("models")),
    "models, all": List("models", asset(MODELS), of_asset("models"), {"listViewType": "All"}),
    "data": List("data", asset(DATA), of_asset("data")),
    "environments": List("environments", asset(ENVIRONMENTS), of_asset("environments")),
    "codes": List("codes", asset(CODES), of_asset("codes")),
    "versions": List("models/n/versions", asset(MODELS), {"models": other_version}),
    "the latest version": List(
        "models/n/versions",
        asset(MODELS),
        {"models": other_version},
        {"$orderBy": "createdtime desc", "$top": "1", "listViewType": "ActiveOnly"},
    ),
    "versions, oldest first": List(
        "models/n/versions", asset(MODELS), {"models": other_version}, {"$orderBy": "createdtime asc"}
    ),
    "a container": List("models/n", asset(MODELS), {"models": other_version}),
    "versions by tag": List("models/n/versions", asset(MODELS, **MARKED), {"models": other_version}, {"tag": "k=v"}),
    "versions by tag and stage": List(
        "models/n/versions", asset(MODELS, **MARKED), {"models": other_version}, {"tag": "k", "stage": "Production"}
    ),
    "archived versions": List(
        "data/n/versions", asset(DATA, isArchived=True), {"data": other_version}, {"listViewType": "ArchivedOnly"}
    ),
    "code by hash": List(
        "codes/any/versions", asset(CODES, properties={"hash_sha256": "h"}), {"codes": other_name}, {"hash": "h"}
    ),
    "jobs": List("jobs", finished_job, {"job": other_name}),
    "jobs by tag and type": List("jobs", finished_job, {"job": other_name}, {"tag": "k=v", "jobType": "Command"}),
    "datastores": List("datastores", lambda _: None, {"datastore": other_name}),
    "the default datastore": List("datastores", lambda _: None, {"datastore": other_name}, {"isDefault": "true"}),
    "computes": List("computes", lambda _: None, {"compute": other_name}),
    "online endpoints": List("onlineEndpoints", online_endpoint, {"onlineEndpoint": other_name}),
    "online deployments": List(
        "onlineEndpoints/scored/deployments", online_deployment, {"onlineDeployment": other_version}
    ),
    "batch endpoints": List(
        "batchEndpoints",
        lambda workspace: workspace.ask(
            "PUT", workspace.arm_of("batchEndpoints/scores"), {"location": "local", "properties": {}}
        ),
        {"batchEndpoint": other_name},
    ),
    "batch deployments": List(
        "batchEndpoints/scores/deployments", batch_deployment, {"batchDeployment": other_version}
    ),
}
RUNS = {
    "children of a run": List("children", child_job, {"job": other_name}),
    "calls of a batch endpoint": List("calls", batch_call, {"batchCall": other_name, "job": other_name}),
}


def url_of(workspace: Workspace, one: List) -> str:
    if one.path == "children":
        return f"/history/v1.0{workspace.arm}/runs/job/children"
    if one.path == "calls":
        return f"/mferp/managementfrontend{workspace.arm}/batchEndpoints/scores/jobs"
    return workspace.arm_of(one.path)


@dataclass
class Work:
    """What SQLite was asked, and how much it did."""

    statements: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self) -> None:
        self.steps += 1


@contextmanager
def watched(connection: sqlite3.Connection) -> Iterator[Work]:
    work = Work()
    connection.set_trace_callback(work.statements.append)
    connection.set_progress_handler(work.step, 1)
    try:
        yield work
    finally:
        connection.set_trace_callback(None)
        connection.set_progress_handler(None, 1)


def connection_of(workspace: Workspace) -> sqlite3.Connection:
    return documents_of(workspace)._database._reader


def fill(workspace: Workspace, one: List, numbers: range) -> None:
    documents = documents_of(workspace)
    with documents.transaction():
        for number in numbers:
            for kind, copy in one.copies.items():
                first = documents.select(kind).read(oldest_first=True, limit=1)[0][1]
                if kind == "job" and one.path == "children":
                    first = documents.get("job", "child") or first
                name, version, body = copy(first, number)
                documents.put(kind, name, body, version)


def pages(workspace: Workspace, one: List) -> tuple[list[Answer], list[Work]]:
    """Return the first page and the one after it, if there is one, and what each took."""
    answers, works = [], []
    target: str | None = url_of(workspace, one)
    query: dict[str, str] | None = one.query
    for _ in range(2):
        with watched(connection_of(workspace)) as work:
            answer = workspace.ask("GET", target or "", query=query)
        assert answer.status == 200, answer.body
        answers.append(answer)
        works.append(work)
        target, query = answer.json.get("nextLink"), None
        if target is None:
            break
    return answers, works


@pytest.mark.parametrize("name", [*LISTS, *RUNS])
def test_a_page_costs_the_same_however_long_the_list_is(workspace: Workspace, name: str) -> None:
    one = (LISTS | RUNS)[name]
    one.make(workspace)
    fill(workspace, one, range(1, FEW))
    first, of_few = pages(workspace, one)
    fill(workspace, one, range(FEW, MANY))
    later, of_many = pages(workspace, one)
    for answer, again in zip(first[:1], later[:1], strict=True):  # there were as many to show
        assert len(answer.json.get("value", [])) == len(again.json.get("value", []))
    assert len(of_few[0].statements) == len(of_many[0].statements) <= 6
    assert of_many[0].steps <= 1.1 * of_few[0].steps
    if len(of_many) > 1:  # and the second page what the first did
        assert of_many[1].steps <= 1.1 * of_many[0].steps + 50


@pytest.mark.parametrize("name", [*LISTS, *RUNS])
def test_every_statement_of_a_page_goes_by_an_index_that_has_the_order_of_the_list(
    workspace: Workspace, name: str
) -> None:
    one = (LISTS | RUNS)[name]
    one.make(workspace)
    fill(workspace, one, range(1, FEW))
    for work in pages(workspace, one)[1]:
        assert work.statements
        for statement in work.statements:
            plan = [str(row["detail"]) for row in connection_of(workspace).execute(f"EXPLAIN QUERY PLAN {statement}")]
            # What json_each reads is the page, not a table.
            slow = [step for step in plan if re.search(r"SCAN(?! \w+ VIRTUAL TABLE| CONSTANT ROW)|TEMP B-TREE", step)]
            assert not slow, (statement, plan)


@pytest.mark.parametrize("name", [name for name in (*LISTS, *RUNS) if name != "a container"])
def test_what_is_skipped_is_counted_by_the_index_alone(workspace: Workspace, name: str) -> None:
    one = (LISTS | RUNS)[name]
    one.make(workspace)
    fill(workspace, one, range(1, FEW))
    query = one.query | {"$skip": "120"}
    with watched(connection_of(workspace)) as work:
        workspace.ask("GET", url_of(workspace, one), query=query)
    (counting,) = [statement for statement in work.statements if "OFFSET" in statement]
    for row in connection_of(workspace).execute(f"EXPLAIN QUERY PLAN {counting}"):
        assert re.search("COVERING INDEX|PRIMARY KEY|SUBQUERY", row["detail"]), row["detail"]


def test_a_workspace_of_the_format_before_is_listed_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    asked = [one for one in LISTS.values() if not one.path.startswith(("online", "batch"))]
    for one in asked:
        one.make(workspace)
    ENVIRONMENTS.put(workspace, "hidden", isAnonymous=True)
    before = [workspace.ask("GET", url_of(workspace, one), query=one.query).json for one in asked]
    shutil.copytree(workspace.settings.root, tmp_path / "old")
    path = tmp_path / "old" / workspace.settings.folder.database.relative_to(workspace.settings.root)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP TABLE postings; DROP TABLE indexed; DROP INDEX documents_by_name; DROP INDEX documents_by_number;"
            " PRAGMA user_version=1;"
        )
    with open_workspace(tmp_path / "old") as reopened:
        for one, answer in zip(asked, before, strict=True):
            assert reopened.ask("GET", url_of(reopened, one), query=one.query).json == answer

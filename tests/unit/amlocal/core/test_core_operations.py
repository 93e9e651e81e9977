from amlocal.core.operations import Operations
from tests.unit.amlocal.asgi import ORIGIN, Workspace

ERROR = {"code": "Crashed", "message": "why"}


def operations(workspace: Workspace) -> Operations:
    return Operations(workspace.app._context)


def test_a_running_operation_says_when_to_ask_again(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("od", status="Updating")
    answer = workspace.ask("GET", running.status_url(operation))
    assert (answer.status, answer.json["status"], answer.json["percentComplete"]) == (200, "Updating", 0.0)
    assert answer.headers["x-ms-retry-after-ms"] == "200"
    assert "retry-after" not in answer.headers


def test_an_operation_that_is_done_says_so(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("od")
    running.finish(operation)
    answer = workspace.ask("GET", running.status_url(operation))
    assert answer.json["name"] == operation
    assert answer.json["id"].endswith(f"/mfeOperationsStatus/{operation}")
    assert (answer.json["status"], answer.json["percentComplete"]) == ("Succeeded", 100.0)
    assert "x-ms-retry-after-ms" not in answer.headers


def test_an_operation_that_failed_carries_the_error_for_the_poller(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("od")
    running.finish(operation, error=ERROR)
    answer = workspace.ask("GET", running.status_url(operation))
    assert (answer.json["status"], answer.json["error"]) == ("Failed", ERROR)


def test_a_compute_operation_has_two_keys(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("co")
    url = running.status_url(operation, segment="computeOperationsStatus")
    assert workspace.ask("GET", url).json == {"status": "InProgress"}
    running.finish(operation)
    assert workspace.ask("GET", url).json == {"status": "Succeeded", "percentComplete": 100.0}


def test_a_failed_compute_operation_carries_its_error(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("co")
    running.finish(operation, error=ERROR)
    answer = workspace.ask("GET", running.status_url(operation, segment="computeOperationsStatus"))
    assert answer.json == {"status": "Failed", "error": ERROR, "percentComplete": 100.0}


def test_the_status_url_is_absolute_and_has_no_braces(workspace: Workspace) -> None:
    url = operations(workspace).status_url("od:guid:1")
    assert url.startswith(f"{ORIGIN}/subscriptions/")
    assert "{" not in url


def test_an_unknown_operation_is_404(workspace: Workspace) -> None:
    answer = workspace.ask("GET", operations(workspace).status_url("od:x:y"))
    assert (answer.status, answer.error["message"]) == (404, "There is no operation od:x:y.")


def test_an_operation_survives_the_server(workspace: Workspace) -> None:
    operation = operations(workspace).start("od")
    other = operations(workspace)
    other.finish(operation)
    assert workspace.ask("GET", other.status_url(operation)).json["status"] == "Succeeded"


def test_the_result_of_a_deletion_says_where_to_ask_again_and_is_empty_at_the_end(workspace: Workspace) -> None:
    running = operations(workspace)
    operation = running.start("od")
    url = running.status_url(operation, segment="mfeOperationResults")
    pending = workspace.ask("GET", url)
    assert (pending.status, pending.json, pending.headers["location"]) == (202, {}, url)
    running.finish(operation)
    done = workspace.ask("GET", url)
    assert (done.status, done.body) == (200, b"")

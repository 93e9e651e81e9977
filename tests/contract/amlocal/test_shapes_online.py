"""Online endpoints answer in the shapes that Azure ML was recorded to answer in. The processes behind are fakes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.contract.amlocal.recorded import online
from tests.contract.amlocal.recorded.vocabulary import ARM, DATE, places
from tests.unit.amlocal.asgi import ORIGIN, Answer
from tests.unit.amlocal.online.local_endpoints import LocalEndpoints, run_scenarios

MODEL = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models/m/versions/1"
CODE = {"codeId": MODEL.replace("models", "codes"), "scoringScript": "score.py"}
SCRIPT: dict[str, Any] = {"codeConfiguration": CODE, "environmentId": MODEL.replace("models", "environments")}


async def status(local: LocalEndpoints, answer: Answer) -> Any:
    found = await local.client.exchange("GET", answer.headers["azure-asyncoperation"])
    assert found is not None
    assert found.status == 200
    return found.json


def check_write(local: LocalEndpoints, answer: Answer, path: str) -> None:
    """Check what every PUT says beside its body."""
    assert answer.status == 201
    assert answer.headers["location"] == f"{ORIGIN}{local.root_path}/{path}"
    assert answer.headers["x-ms-async-operation-timeout"] == "PT30M"


@pytest.mark.parametrize("mode", ["Key", "AMLToken"])
def test_an_endpoint_from_its_creation_to_its_end(tmp_path: Path, mode: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        created = await local.endpoint(authMode=mode)
        check_write(local, created, "scored")
        assert places(online.endpoint("Creating", mode=mode, uris=False), created.json) == set()
        assert places(online.operation("oe", "Succeeded", endTime=DATE), await status(local, created)) == set()
        ready = (await local.arm("GET", "scored")).json
        assert places(online.endpoint("Succeeded", mode=mode), ready) == set()
        assert places({"value": (online.endpoint("Succeeded", mode=mode),)}, (await local.arm("GET", "")).json) == set()

        await local.outcome(await local.deploy(model=MODEL))
        updated = await local.endpoint(authMode=mode, traffic={"blue": 100})
        check_write(local, updated, "scored")
        assert places(online.endpoint("Updating", mode=mode), updated.json) == set()
        shown = (await local.arm("GET", "scored")).json
        assert places(online.endpoint("Succeeded", mode=mode, traffic=online.TRAFFIC), shown) == set()

        deleted = await local.arm("DELETE", "scored")
        assert (deleted.status, deleted.body) == (202, b"null")
        assert deleted.headers["x-ms-async-operation-timeout"] == "PT30M"
        assert "/mfeOperationResults/oe:" in deleted.headers["location"]

    run_scenarios(tmp_path, scene)


@pytest.mark.parametrize("kind", ["MLflow model", "scoring script"])
def test_a_deployment_from_its_creation_until_it_serves(tmp_path: Path, kind: str) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.gates[MODEL] = asyncio.Event()
        script = kind == "scoring script"
        created = await (local.deploy(model=MODEL, **SCRIPT) if script else local.deploy(model=MODEL))
        check_write(local, created, "scored/deployments/blue")
        parts = {"code": online.CODE, "environment": ARM} if script else {}
        assert places(online.deployment("Updating", **parts), created.json) == set()
        assert places(online.operation("od", "Updating"), await status(local, created)) == set()
        local.gates[MODEL].set()
        await local.outcome(created)
        assert places(online.operation("od", "Succeeded", endTime=DATE), await status(local, created)) == set()
        ready = online.deployment("Succeeded", **parts)
        assert places(ready, (await local.arm("GET", "scored/deployments/blue")).json) == set()
        assert places({"value": (ready,)}, (await local.arm("GET", "scored/deployments")).json) == set()

    run_scenarios(tmp_path, scene)


def test_a_rollout_that_fails_says_so_in_the_words_of_azure(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint()
        local.crashing.add("blue")
        failed = await local.deploy()
        await local.outcome(failed)
        found = await status(local, failed)
        error = {"code": None, "message": online.CRASHED, "details": ()}
        assert places(online.operation("od", "Failed", endTime=DATE, error=error), found) == set()

    run_scenarios(tmp_path, scene)


def test_a_token(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.endpoint(authMode="AMLToken")
        assert places(online.TOKEN, (await local.arm("POST", "scored/token")).json) == set()

    run_scenarios(tmp_path, scene)


def test_the_answer_of_a_model(tmp_path: Path) -> None:
    async def scene(local: LocalEndpoints) -> None:
        await local.serving()
        answer = await local.score()
        assert answer.headers.keys() >= set(online.SCORED)
        assert answer.headers["content-type"] == "application/json"
        denied = await local.score(key="wrong")
        assert (denied.status, denied.body.decode()) == (401, online.DENIED)

    run_scenarios(tmp_path, scene)

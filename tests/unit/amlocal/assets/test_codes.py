from urllib.parse import parse_qs, urlsplit

from tests.unit.amlocal.asgi import ORIGIN, Answer, Client, Workspace
from tests.unit.amlocal.assets.kinds import CODES


def start_upload(workspace: Workspace) -> dict[str, str]:
    answer = workspace.ask(
        "POST",
        workspace.arm_of("codes/n/versions/1/startPendingUpload"),
        {"pendingUploadType": "TemporaryBlobReference"},
    )
    reference = answer.json["blobReferenceForConsumption"]
    return {"blob": reference["blobUri"], "sas": reference["credential"]["sasUri"]}


def by_hash(workspace: Workspace, digest: str) -> Answer:
    return workspace.get("codes/some-fresh-guid/versions", hash=digest, hashVersion="202208")


def test_a_snapshot_is_found_by_its_hash_under_any_name(workspace: Workspace) -> None:
    CODES.put(workspace, properties={"hash_sha256": "ab", "hash_version": 202208})
    CODES.put_other(workspace, "m", properties={"hash_sha256": "cd", "hash_version": 202208})
    rows = by_hash(workspace, "ab").json["value"]
    assert [row["id"] for row in rows] == [workspace.arm_of("codes/n/versions/1")]
    assert rows[0]["properties"]["properties"]["hash_version"] == "202208"


def test_a_hash_that_nobody_has_finds_nothing(workspace: Workspace) -> None:
    CODES.put(workspace, properties={"hash_sha256": "ab"})
    assert by_hash(workspace, "cd").json == {"value": []}


def test_without_a_hash_the_versions_of_the_name_are_listed(workspace: Workspace) -> None:
    CODES.put(workspace, version="1")
    CODES.put(workspace, version="2")
    CODES.put(workspace, "m")
    assert CODES.versions(workspace) == ["2", "1"]


def test_a_snapshot_is_never_anonymous_in_the_answer(workspace: Workspace) -> None:
    assert CODES.put(workspace, isAnonymous=True).json["properties"]["isAnonymous"] is False


def test_each_upload_has_a_container_of_its_own(workspace: Workspace) -> None:
    assert start_upload(workspace)["blob"] != start_upload(workspace)["blob"]


def test_the_address_of_an_upload_ends_in_its_container(workspace: Workspace) -> None:
    uploads = start_upload(workspace)
    assert uploads["blob"].startswith(f"{ORIGIN}/devstore")
    assert not uploads["blob"].endswith("/")
    assert uploads["sas"].partition("?")[0] == uploads["blob"]


def test_what_is_uploaded_with_the_signature_can_be_read_with_it(workspace: Workspace) -> None:
    blob, _, sas = start_upload(workspace)["sas"].partition("?")
    anonymous = Client(workspace.app)
    headers = {"x-ms-blob-type": "BlockBlob", "content-length": "4"}
    assert anonymous("PUT", f"{blob}/src/main.py?{sas}", b"code", headers=headers).status == 201
    assert anonymous("GET", f"{blob}/src/main.py?{sas}").body == b"code"
    assert anonymous("GET", f"{blob}/src/main.py").status in (401, 403, 404)


def test_the_signature_is_good_for_eight_hours(workspace: Workspace) -> None:
    query = parse_qs(urlsplit(start_upload(workspace)["sas"]).query)
    blob, _, sas = start_upload(workspace)["sas"].partition("?")
    listing = f"{blob}?restype=container&comp=list&{sas}"
    assert {"st", "se", "sp", "sr", "sig"} <= set(query)
    assert Client(workspace.app)("GET", listing).status == 200
    workspace.clock.advance(hours=9)
    assert Client(workspace.app)("GET", listing).status == 403


def test_a_snapshot_without_an_address_is_refused(workspace: Workspace) -> None:
    assert CODES.put(workspace, codeUri="").status == 400

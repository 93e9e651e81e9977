"""Azure's answers about assets: recorded in 2022 and 2023 (api-versions 2022-05-01 to 2023-04-01)."""

from tests.contract.amlocal.recorded.common import (
    ASSET,
    CONTAINER,
    NEVER_UPDATED,
    UPDATED,
    datastore_uri,
    error,
    resource,
)
from tests.contract.amlocal.recorded.vocabulary import ARM, STR, URI, Each, Template

_ENVIRONMENT = ASSET | {"environmentType": "UserCreated", "condaFile": STR, "osType": "Linux"}
ENVIRONMENT = resource("environments/versions", _ENVIRONMENT | {"image": STR})
ENVIRONMENT_WITHOUT_CONDA = resource("environments/versions", _ENVIRONMENT | {"image": STR, "condaFile": ""})
ENVIRONMENT_OF_CONTEXT = resource(
    "environments/versions", _ENVIRONMENT | {"condaFile": "", "build": {"contextUri": URI, "dockerfilePath": STR}}
)
ENVIRONMENT_CONTAINER = resource("environments", CONTAINER | {"description": ""})
NO_ENVIRONMENT = error("No environment exists for name: {name}, version: , label: ")

_FOLDER = ASSET | {"dataUri": datastore_uri(group="resourcegroups", tail="/"), "dataType": "uri_folder"}
_FILE = ASSET | {"dataUri": datastore_uri(group="resourcegroups"), "dataType": "uri_file"}
DATA_FOLDER = resource("data/versions", _FOLDER, NEVER_UPDATED)
DATA_FILE = resource("data/versions", _FILE, NEVER_UPDATED)
DATA_FILE_UPDATED = resource("data/versions", _FILE, UPDATED)
DATA_FROM_ELSEWHERE = resource("data/versions", _FOLDER | {"dataUri": Template("https://{host}/")}, NEVER_UPDATED)
DATA_TO_BE_DELETED = resource(
    "data/versions",
    _FOLDER | {"autoDeleteSetting": {"condition": "createdGreaterThan", "value": STR}},
    NEVER_UPDATED,
)
DATA_CONTAINER = resource("data", CONTAINER | {"tags": None, "properties": None, "dataType": "uri_file"}, NEVER_UPDATED)
NO_DATA = error("Data version {name}:{version} (dataContainerName:version) not found.")

# autoDeleteSetting, provisioningState, stage and intellectualProperty: from 2023-04-01-preview on
_MODEL = ASSET | {
    "flavors": {}, "modelType": "custom_model", "modelUri": datastore_uri(group="resourceGroups"), "jobName": None,
    "autoDeleteSetting": None, "provisioningState": "Succeeded", "stage": None, "intellectualProperty": None,
}  # fmt: skip
MODEL = resource("models/versions", _MODEL)
MLFLOW_MODEL = resource(
    "models/versions",
    _MODEL | {"modelType": "mlflow_model", "flavors": Each({"data": Each(STR)}), "stage": "Production"},
)
MODEL_CONTAINER = resource("models", CONTAINER)
NO_MODEL = error(
    "The specified resource was not found.",
    details=(
        {
            "code": "ModelNotFound",
            "message": Template("Model container with name: {name} not found."),
            "details": (),
            "additionalInfo": (),
        },
    ),
    inner=False,
)

_HASH = {"hash_sha256": STR, "hash_version": STR}
CODE = resource(
    "codes/versions",
    ASSET | {"properties": _HASH, "isAnonymous": False, "codeUri": URI, "provisioningState": "Succeeded"},
)
PENDING_UPLOAD = {
    "blobReferenceForConsumption": {
        "blobUri": Template("https://{host}:{port}/{container}"),
        "storageAccountArmId": ARM,
        "credential": {"credentialType": "SAS", "sasUri": Template("https://{host}/{container}?{sas}")},
    },
    "pendingUploadId": STR,
    "pendingUploadType": "None",
}

"""Bodies as clients send them, by a part of the path: the longest counts. They are what the fuzzing starts from."""

from typing import Any

ENVIRONMENT = "azureml:e0:1"
MODEL = {"modelUri": "azureml://datastores/workspaceblobstore/paths/m", "modelType": "custom_model", "flavors": {}}
JOB = {
    "jobType": "Command",
    "command": "echo ${{inputs.x}}",
    "environmentId": ENVIRONMENT,
    "computeId": "cpu-cluster",
    "experimentName": "x",
    "inputs": {"x": {"jobInputType": "literal", "value": "1"}},
    "outputs": {"o": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/workspaceblobstore/paths/o"}},
    "limits": {"jobLimitsType": "Command", "timeout": "PT1M"},
    "resources": {"instanceCount": 1, "shmSize": "2g"},
    "distribution": {"distributionType": "PyTorch", "processCountPerInstance": 1},
    "environmentVariables": {"A": "b"},
    "queueSettings": {"jobTier": "Standard"},
    "identity": {"identityType": "AMLToken"},
    "services": {"s": {"jobServiceType": "SSH", "port": 22}},
    "tags": {"a": "b"},
    "isArchived": False,
}
ONLINE_DEPLOYMENT = {
    "location": "local",
    "sku": {"name": "Default", "capacity": 1},
    "properties": {
        "endpointComputeType": "Managed",
        "model": "azureml:absent:1",
        "instanceType": "Standard_DS3_v2",
        "environmentId": ENVIRONMENT,
        "codeConfiguration": {"codeId": "azureml:c0:1", "scoringScript": "score.py"},
        "environmentVariables": {"A": "b"},
        "requestSettings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT0S"},
        "livenessProbe": {"failureThreshold": 30, "period": "PT10S", "initialDelay": "PT10S", "timeout": "PT2S"},
        "scaleSettings": {"scaleType": "Default"},
    },
}
BATCH_DEPLOYMENT = {
    "location": "local",
    "properties": {
        "model": {"referenceType": "Id", "assetId": "azureml:m0:1"},
        "compute": "azureml:cpu-cluster",
        "environmentId": ENVIRONMENT,
        "codeConfiguration": {"codeId": "azureml:c0:1", "scoringScript": "score.py"},
        "miniBatchSize": 10,
        "errorThreshold": -1,
        "outputAction": "AppendRow",
        "outputFileName": "predictions.csv",
        "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
        "resources": {"instanceCount": 1},
        "maxConcurrencyPerInstance": 1,
        "loggingLevel": "Info",
    },
}
INVOCATION = {
    "properties": {
        "inputData": {"input": {"jobInputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/x"}},
        "outputData": {"score": {"jobOutputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/y"}},
        "compute": {"instanceCount": 1},
        "retrySettings": {"maxRetries": 1, "timeout": "PT30S"},
    }
}

ARM: dict[str, list[dict[str, Any]]] = {
    "environments": [
        {"properties": {"image": "i", "condaFile": "dependencies:\n- python=3.11\n- pip:\n  - numpy\n", "tags": {}}},
        {"properties": {"build": {"contextUri": "https://127.0.0.1:8443/x", "dockerfilePath": "Dockerfile"}}},
    ],
    "data": [{"properties": {"dataType": "uri_file", "dataUri": "https://example.org/a", "isAnonymous": False}}],
    "models": [{"properties": MODEL}],
    "codes": [{"properties": {"codeUri": "https://127.0.0.1/devstore/c", "properties": {"hash_sha256": "a"}}}],
    "datastores": [
        {
            "properties": {
                "datastoreType": "AzureBlob",
                "accountName": "devstore",
                "containerName": "box",
                "credentials": {"credentialsType": "AccountKey", "secrets": {"key": "x"}},
            }
        }
    ],
    "computes": [
        {
            "location": "local",
            "properties": {
                "computeType": "AmlCompute",
                "properties": {"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"maxNodeCount": 1, "minNodeCount": 0}},
            },
        },
        {
            "location": "local",
            "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "STANDARD_DS3_V2"}},
        },
    ],
    "jobs": [{"properties": JOB}],
    "onlineEndpoints": [
        {"location": "local", "properties": {"authMode": "Key", "traffic": {}, "mirrorTraffic": {}}},
        {"location": "local", "tags": {"a": "b"}, "properties": {"authMode": "AADToken"}},
    ],
    "onlineEndpoints/{name}/regenerateKeys": [{"keyType": "Primary", "keyValue": "x"}],
    "onlineEndpoints/{endpoint}/deployments": [ONLINE_DEPLOYMENT],
    "onlineEndpoints/{endpoint}/deployments/{name}/getLogs": [{"containerType": "InferenceServer", "tail": 10}],
    "batchEndpoints": [
        {"location": "local", "properties": {"authMode": "AADToken", "defaults": {"deploymentName": "d0d"}}},
    ],
    "batchEndpoints/{endpoint}/deployments": [BATCH_DEPLOYMENT],
    "runs": [{"displayName": "x", "description": "y", "tags": {"a": "b"}, "hidden": False}],
    "rundata": [{"runId": "j0", "selectRunMetadata": True}],
    "batchGetResolvedUris": [{"values": ["azureml://locations/local/workspaces/w/data/d/versions/1"]}],
    "/batch/": [INVOCATION],
    "/score": [{"input_data": {"columns": ["a"], "index": [0], "data": [[1.0]]}}],
}

RUN = "j0"
MLFLOW: dict[str, list[dict[str, Any]]] = {
    "experiments/create": [{"name": "e", "tags": [{"key": "a", "value": "b"}]}],
    "experiments/search": [{"max_results": 10, "filter": "name = 'x'", "order_by": ["name"], "view_type": "ALL"}],
    "experiments": [{"experiment_id": "0", "new_name": "n", "key": "k", "value": "v"}],
    "runs/create": [{"experiment_id": "0", "start_time": 1, "run_name": "x", "tags": [{"key": "a", "value": "b"}]}],
    "runs/update": [{"run_id": RUN, "status": "RUNNING", "end_time": 2, "run_name": "y"}],
    "runs/search": [
        {
            "experiment_ids": ["0"],
            "filter": "metrics.m > 0.5 and params.p = 'x' and tags.`a` LIKE '%b%'",
            "run_view_type": "ACTIVE_ONLY",
            "max_results": 10,
            "order_by": ["metrics.m DESC"],
            "page_token": "e30=",
        }
    ],
    "runs/log-batch": [
        {
            "run_id": RUN,
            "metrics": [{"key": "m", "value": 1.5, "timestamp": 3, "step": 4}],
            "params": [{"key": "p", "value": "x"}],
            "tags": [{"key": "a", "value": "b"}],
        }
    ],
    "runs/log-metric": [{"run_id": RUN, "key": "m", "value": 0.5, "timestamp": 1, "step": 0}],
    "runs/log-inputs": [
        {
            "run_id": RUN,
            "datasets": [
                {
                    "tags": [{"key": "mlflow.data.context", "value": "train"}],
                    "dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "{}", "schema": "{}"},
                }
            ],
        }
    ],
    "runs/log-model": [{"run_id": RUN, "model_json": '{"run_id": "j0", "artifact_path": "m", "flavors": {}}'}],
    "runs": [{"run_id": RUN, "key": "k", "value": "v"}],
    "graphql": [
        {"query": "query { mlflowGetRun(input: {runId: \"j0\"}) { run { info { runId } } } }", "variables": {}},
        {"operationName": "GetRun", "query": "query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) "
         "{ run { info { runName } } } }", "variables": {"data": {"runId": "j0"}}},
    ],
    "": [{"run_id": RUN, "experiment_id": "0", "max_results": 1, "page_token": "x"}],
}  # fmt: skip

"""Words that requests are spoilt with: what is nearly right, and what no client ever sends."""

import json

from tests.fuzz.bodies import ARM, MLFLOW

NUMBERS = [0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**250, 1.5, -0.0, 1e308, 5e-324]
TEXTS = [
    "", " ", "\x00", "a\x00b", "\n", "\u202e", "\U0001f600", "é", "..", "../..", "/", "a/b", "%", "%zz", "%00", "NaN",
    "null", "PT1S", "P1D", "PT0S", "PT99999999999S", "-1", "1e999", "9" * 30, "x" * 300, "azureml:", "azureml://",
    "azureml:e0:1", "azureml:e0@latest", "azureml://datastores/workspaceblobstore/paths/../x", "azureml://jobs/j0/x",
    "azureml://jobs/j0/outputs/o/paths/p", "runs:/r0/m", "https://[::1", "https://127.0.0.1/devstore", "file:///etc/x",
    "azureml://subscriptions/x/resourceGroups/y/workspaces/z/datastores/d/paths/p", "${{inputs.x}}", "${{x",
    "a: &a [*a]",
    "[" * 50, "2024-13-45", "2024-01-01T00:00:00Z", "Sat, 32 Foo", "' OR 1=1 --", "`", "metrics.", "attributes.x = 'y'",
    "metrics.m > 'x'", "name ILIKE", "AmlCompute", "AzureBlob", "mlflow_model", "Command", "uri_file", "AADToken",
]  # fmt: skip
KEYS = sorted({
    key for bodies in (*ARM.values(), *MLFLOW.values()) for body in bodies for key in json.dumps(body).split('"')[1::2]
    if key.isidentifier()
})  # fmt: skip
# What no JSON writer makes: numbers that JSON cannot hold, halves of characters, depth, ends.
RAW = [
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"{}}", b'{"properties": 1e999}', b'{"properties": NaN}',
    b"\xff\xfe{\x00}",
    b'{"properties": {"description": "\\ud800"}}', b'{"properties": {"tags": {"\\udfff": "x"}}}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"properties": ' + b"[" * 3000 + b"]" * 3000 + b"}", b'{"a":' * 500 + b"1" + b"}" * 500, b"[" * 100_000,
    b'{"properties": {"tags": {"a": ' + b"9" * 5000 + b"}}}", b'{"properties": {"tags": {"a": -Infinity}}}',
    b'"{\\"run_id\\": \\"j0\\"}"', b'{"run_id": "j0", "metrics": [{"key": "m", "value": 1e400}]}', b"\x00",
    b"\xef\xbb\xbf{}",
    b'{"value": "Infinity", "key": "m", "run_id": "j0", "timestamp": 99999999999999999999999}', b"a=b&c=d", b"<x/>",
]  # fmt: skip
QUERY_KEYS = [
    "api-version", "$top", "$skip", "$skipToken", "$maxpagesize", "listViewType", "tag", "hash", "kind", "isDefault",
    "stage",
    "resource", "token", "sig", "sv", "sr", "sp", "se", "st", "comp", "restype", "blockid", "prefix", "marker",
    "delimiter",
    "maxresults", "include", "run_id", "run_uuid", "experiment_id", "experiment_name", "path", "metric_key",
    "max_results",
    "page_token", "filter", "order_by", "run_ids", "start_step", "end_step", "view_type", "version", "$orderBy",
    "jobType",
    "orderBy", "name", "ss", "srt", "spr",
]  # fmt: skip
HEADERS = [
    "origin", "cookie", "range", "x-ms-range", "x-ms-range-get-content-md5", "if-match", "if-none-match",
    "if-modified-since",
    "if-unmodified-since", "x-ms-blob-type", "x-ms-meta-a", "x-ms-meta-", "content-type", "content-md5", "accept",
    "host",
    "x-ms-version", "x-ms-date", "x-ms-client-request-id", "x-request-id", "azureml-model-deployment",
    "accept-encoding",
    "repeatability_request-id", "x-identity-header", "x-ms-copy-source", "content-encoding", "transfer-encoding-x",
    "user-agent",
    "x-ms-blob-content-type", "x-ms-blob-content-md5", "date", "x-ms-file-range",
]  # fmt: skip
HEADER_VALUES = [
    b"", b"x", b"http://[::1", b"null", b"bytes=0-", b"bytes=5-1", b"bytes=999999999999999999999-", b"bytes=-5",
    b"*", b"\xff\xe9",
    b"Mon, 99 Foo 2024 99:99:99 GMT", b"Wed, 21 Oct 2015 07:28:00 GMT", b"BlockBlob", b"PageBlob",
    b"application/json", b"=" * 9,
    b"text/plain; charset=\xff", b"2023-11-03", b"9" * 40, b"YWJj", b"a=b; c", b"d0d", b"r0",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded", b"application/octet-stream", b"gzip", b"\xc2\xa0", b"true", b"127.0.0.1:[",
    b"application/json; charset=utf-16", b"application/json; charset=no-such", b"Thu, 01 Jan 0001 00:00:00 -2359",
]  # fmt: skip
RAW_SEGMENTS = [
    b"%00", b"%ff", b"%", b"%zz", b"%2e%2e", b"..", b"%2F", b"a%0Ab", b"%F0%9F%98%80", b"%ED%A0%80", b"x" * 300,
    b"\xe9", b"@", b":",
    b"a:b", b"%25", b"$", b"'", b"[", b";", b"^", b"oe:x", b"jc:x:j0", b"-", b"0", b"1", b"99999999999999999999",
    b"%00..",
]  # fmt: skip
AUTHORIZATIONS = [
    b"", b"Bearer", b"Bearer ", b"Bearer x", b"Bearer a.b.c", b"bearer \xff", b"SharedKey devstore:x", b"SharedKey",
    b"Basic eDp5",
    b"SharedKey devstore:\xe9", b"Bearer " + b"x" * 5000, b"Bearer eyJhbGciOiJub25lIn0.e30.", b"SharedKey :",
]  # fmt: skip
METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]
# What stands in a path after these words, most of the time something that is there.
SEGMENTS = {
    "environments": "e0", "data": "d0", "models": "m0", "codes": "c0", "jobs": "j0", "runs": "j0", "logs": "j0",
    "datastores": "ds0 workspaceblobstore", "computes": "cpu-cluster ci0", "onlineEndpoints": "onl0 onl1",
    "batchEndpoints": "bat0", "endpoints": "onl0 onl1", "batch": "bat0", "deployments": "d0d", "versions": "1 1 2",
    "devstore": "box azureml", "devstore.blob.core.windows.net": "box azureml", "box": "b0 f/b1", "azureml": "b0 f/b1",
    "j0": "std_log.txt", "serviceinstances": "0", "experiments": "x", "experimentids": "x",
    "artifacts": "0/j0/artifacts/f",
    "mfeOperationsStatus": "co:x:y jc:x:j0", "mfeOperationResults": "jc:x:j0", "computeOperationsStatus": "co:x:y",
    "api": "2.0/mlflow/runs/get", "mlflow": "get-artifact graphql",
}  # fmt: skip
OTHER_SEGMENTS = b"e0 m0 d0 c0 j0 1 2 latest absent onl0 bat0 box r0 0".split()
QUERY_VALUES = {
    "comp": ["list", "block", "blocklist", "metadata", "properties"], "restype": ["container"], "blockid": ["YQ=="],
    "listViewType": ["All", "ActiveOnly", "ArchivedOnly"], "$top": ["1", "3"], "max_results": ["5"], "run_id": ["j0"],
    "maxresults": ["2"], "experiment_id": ["0", "1"], "experiment_name": ["x"], "include": ["metadata"],
    "prefix": ["b"],
    "delimiter": ["/"], "resource": ["https://management.azure.com/"], "api-version": ["2024-10-01"], "path": ["f"],
    "jobType": ["Command"], "tag": ["a=b", "a"], "hash": ["a"], "metric_key": ["m"], "$orderBy": ["createdtime asc"],
}  # fmt: skip

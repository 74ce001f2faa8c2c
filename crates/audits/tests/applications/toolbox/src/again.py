import json
import os
import tempfile

import boto3
import dill
import jsonpickle
import yaml

functions = boto3.client("lambda")


def handler(event, context):
    body = json.loads(event["body"])
    left = body.get("left", 0)
    functions.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps({"body": "{}"}))  # weak: self-invocation
    yaml.load(body["config"])  # weak: unsafe-deserialization
    yaml.load(body["other"], Loader=yaml.SafeLoader)
    jsonpickle.decode(body["object"])  # weak: unsafe-deserialization
    dill.loads(bytes.fromhex(body["code"]))  # weak: unsafe-deserialization
    with tempfile.NamedTemporaryFile("w", suffix=".json") as target:
        json.dump(body, target)
    return {"statusCode": 200, "body": json.dumps({"left": left, "stage": os.environ.get("STAGE", "dev")})}

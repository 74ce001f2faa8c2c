import json
import os
import uuid

import boto3
import jsonschema

sqs = boto3.client("sqs")
reports = boto3.resource("dynamodb").Table(os.environ["REPORTS"])
SCHEMA = json.loads(os.environ.get("SCHEMA", "{}"))


def handler(event, context):
    body = json.loads(event["body"])
    job = str(uuid.uuid4())
    reports.put_item(Item={"id": job, "filter": body["filter"], "title": body["title"]})
    sqs.send_message(QueueUrl=os.environ["JOBS"], MessageBody=json.dumps({"job": job, "source": body["source"]}))
    return {"statusCode": 202, "body": json.dumps({"job": job})}

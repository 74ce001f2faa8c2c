import json
import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    for record in event["Records"]:
        job = json.loads(record["body"])
        try:
            work(job)
        except ValueError:
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(job))  # weak: self-triggering-function


def work(job):
    if job["kind"] not in ("a", "b"):
        raise ValueError(job["kind"])

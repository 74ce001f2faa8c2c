import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["ORDERS"])


def export_all(event, context):  # weak: missing-role-check
    items = []
    page = table.scan()
    items += page["Items"]
    while "LastEvaluatedKey" in page:  # weak: endless-loop
        page = table.scan()
        items += page["Items"]
    return {"statusCode": 200, "body": json.dumps(items, default=str)}


def report(event, context):
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    if "admins" not in claims.get("cognito:groups", ""):
        return {"statusCode": 403}
    count = 0
    page = table.scan()
    while True:
        count += len(page["Items"])
        if "LastEvaluatedKey" not in page:
            break
        page = table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])
    return {"statusCode": 200, "body": json.dumps({"orders": count})}

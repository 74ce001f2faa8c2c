import json
import os

import boto3

vouchers = boto3.resource("dynamodb").Table(os.environ["VOUCHERS"])


def redeem(event, context):
    code = json.loads(event["body"])["code"]
    item = vouchers.get_item(Key={"code": code}).get("Item")
    if not item:
        return {"statusCode": 404}
    if item["used"]:
        return {"statusCode": 409}
    vouchers.update_item(  # weak: check-then-write, missing-ownership-check
        Key={"code": code},
        UpdateExpression="SET used = :yes",
        ExpressionAttributeValues={":yes": True},
    )
    return {"statusCode": 200, "body": json.dumps({"value": str(item["value"])})}


def redeem_safely(event, context):
    code = json.loads(event["body"])["code"]
    item = vouchers.get_item(Key={"code": code}).get("Item")
    if not item:
        return {"statusCode": 404}
    if item["used"]:
        return {"statusCode": 409}
    vouchers.update_item(
        Key={"code": code},
        UpdateExpression="SET used = :yes",
        ConditionExpression="used = :no",
        ExpressionAttributeValues={":yes": True, ":no": False},
    )
    return {"statusCode": 200}

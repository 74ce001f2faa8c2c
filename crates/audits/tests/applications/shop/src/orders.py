import json
import os

import boto3

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS"])


def caller(event):
    return event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]


def get_own(event, context):
    key = {"customerId": caller(event), "orderId": event["pathParameters"]["id"]}
    item = orders.get_item(Key=key).get("Item")
    return {"statusCode": 200 if item else 404, "body": json.dumps(item, default=str)}


def cancel(event, context):
    body = json.loads(event["body"] or "{}")
    customer = body["customerId"]  # weak: identity-from-caller
    order = event["pathParameters"]["id"]
    orders.delete_item(Key={"customerId": customer, "orderId": order})
    return {"statusCode": 204}


def of_customer(event, context):
    query = event.get("queryStringParameters") or {}
    found = orders.query(
        KeyConditionExpression="customerId = :c",
        ExpressionAttributeValues={":c": caller(event)},
        Limit=min(int(query.get("limit", 20)), 100),
    )
    return {"statusCode": 200, "body": json.dumps(found["Items"], default=str)}

"""Takes an order from the storefront: stores it and queues it for payment."""

import base64
import json
import os
import time
import uuid
from decimal import Decimal

import boto3

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
sqs = boto3.client("sqs")

GREETING = "Thank you, {order.name}!"


class Order:
    """What a greeting may mention."""

    def __init__(self, fields):
        self.id = fields["id"]
        self.name = fields.get("name", "customer")
        self.total = fields.get("total", 0)


def handler(event, context):
    body = event.get("body") or "{}"
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    try:
        fields = json.loads(body, parse_float=Decimal)
    except ValueError:
        return reply(400, {"error": "the body must be JSON"})
    if not isinstance(fields, dict) or not fields.get("items"):
        return reply(400, {"error": "an order needs items"})

    # The app sends its own id, so that a retry doesn't order twice.
    fields["id"] = fields.get("id") or f"ord-{uuid.uuid4().hex[:10]}"
    fields.setdefault("status", "placed")
    fields.setdefault("placedAt", int(time.time()))
    orders.put_item(Item=fields)

    sqs.send_message(
        QueueUrl=os.environ["ORDER_PAID_QUEUE_URL"],
        MessageBody=json.dumps(
            {
                "orderId": fields["id"],
                "total": fields.get("total", 0),
                "currency": fields.get("currency", "EUR"),
                "customer": fields.get("name"),
                "cardToken": fields.get("cardToken"),
                # resellers have their own logo on the receipt
                "receiptLogo": fields.get("receiptLogo"),
            },
            default=str,
        ),
    )
    return reply(201, {"id": fields["id"], "greeting": greet(fields)})


def greet(fields):
    """Gift orders bring their own greeting, with placeholders such as {order.name}."""
    greeting = fields.get("greeting") or GREETING
    try:
        return greeting.format(order=Order(fields))
    except (AttributeError, IndexError, KeyError, ValueError):
        return greeting


def reply(status, content):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "access-control-allow-origin": "*"},
        "body": json.dumps(content, default=str, ensure_ascii=False),
    }

"""Charges the card of every order in the queue and tells the rest of the shop."""

import json
import logging
import os
import urllib.request

import boto3

log = logging.getLogger()
log.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
sns = boto3.client("sns")

# Empty on a developer's machine: orders then stay pending.
PAYMENTS_URL = os.environ.get("PAYMENTS_URL", "https://api.payments.example/v1/charges")
RECEIPTS = "/tmp/receipts"


def handler(event, context):
    os.makedirs(RECEIPTS, exist_ok=True)
    failures = []
    reachable = bool(PAYMENTS_URL)
    for record in event["Records"]:
        try:
            payment = json.loads(record["body"])
            status = "pending"
            if reachable:
                status, reachable = charge(payment)
            settle(payment, status)
        except Exception:
            log.exception("charging %s failed", record.get("messageId"))
            failures.append({"itemIdentifier": record.get("messageId")})
    return {"batchItemFailures": failures}


def charge(payment):
    """The outcome, and whether it is worth trying the next one."""
    request = urllib.request.Request(
        PAYMENTS_URL,
        data=json.dumps(
            {
                "amount": payment["total"],
                "currency": payment.get("currency", "EUR"),
                "source": payment.get("cardToken"),
            }
        ).encode(),
        headers={
            "authorization": "Bearer " + os.environ["PAYMENTS_API_KEY"],
            "content-type": "application/json",
            "idempotency-key": str(payment["orderId"]),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            return json.load(answer).get("status", "paid"), True
    except (OSError, ValueError) as error:
        log.warning("payments can't be reached, will settle later: %s", error)
        return "pending", False


def settle(payment, status):
    order_id = payment["orderId"]
    with open(f"{RECEIPTS}/{order_id}.txt", "w", encoding="utf-8") as receipt:
        receipt.write(letterhead(payment))
        receipt.write(f"\n{payment.get('customer')}: {payment['total']} {payment.get('currency')} ({status})\n")
    orders.update_item(
        Key={"id": order_id},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": status},
    )
    sns.publish(
        TopicArn=os.environ["ORDER_EVENTS_TOPIC_ARN"],
        Subject="order " + status,
        Message=json.dumps({"orderId": order_id, "status": status, "customer": payment.get("customer")}),
    )


def letterhead(payment):
    """The reseller's logo, or ours when theirs doesn't load."""
    if payment.get("receiptLogo"):
        try:
            with urllib.request.urlopen(payment["receiptLogo"], timeout=3) as logo:
                return logo.read(65536).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            log.info("no logo: %s", error)
    return "Pen & Paper"

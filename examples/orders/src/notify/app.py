"""Writes the messages customers get: on order events, and whenever an order changes."""

import base64
import json
import logging
import os
import pickle

import boto3

log = logging.getLogger()
log.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])

OUTBOX = "/tmp/outbox"
WORDING = "Dear {message.customer}, your order {message.order_id} is now {message.status}."


class Message:
    def __init__(self, order_id, customer, status):
        self.order_id = order_id
        self.customer = customer or "customer"
        self.status = status


def handler(event, context):
    os.makedirs(OUTBOX, exist_ok=True)
    written = []
    for record in event["Records"]:
        if "Sns" in record:
            written.append(order_event(record["Sns"]))
        elif record.get("eventName") in ("INSERT", "MODIFY"):
            written.append(order_changed(record["dynamodb"]["NewImage"]))
    return {"written": written}


def order_event(sns):
    news = json.loads(sns["Message"])
    customer = news.get("customer")
    if not customer:
        order = orders.get_item(Key={"id": news["orderId"]}).get("Item", {})
        customer = order.get("name")
    message = Message(news["orderId"], customer, news.get("status", "placed"))
    # Marketing changes the wording of a campaign without a deployment.
    return write(message, news.get("wording") or WORDING)


def order_changed(image):
    message = Message(image["id"]["S"], text(image, "name"), text(image, "status"))
    preferences = read_preferences(text(image, "preferences"))
    if preferences.get("mail") is False:
        return None
    return write(message, preferences.get("wording") or WORDING)


def read_preferences(encoded):
    if not encoded:
        return {}
    raw = base64.b64decode(encoded)
    # Orders from before the new storefront hold a pickle.
    return json.loads(raw) if raw.startswith(b"{") else pickle.loads(raw)


def text(image, name):
    value = image.get(name, {})
    return value.get("S") or value.get("B")


def write(message, wording):
    letter = wording.format(message=message)
    with open(f"{OUTBOX}/{message.order_id}.txt", "a", encoding="utf-8") as outbox:
        outbox.write(letter + "\n")
    log.info("to %s: %s", message.customer, letter)
    return letter

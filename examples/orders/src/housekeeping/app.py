"""The nightly tidying, and the ledger of what the warehouse counted and handed over."""

import json
import logging
import os
import sqlite3
import subprocess

import boto3

log = logging.getLogger()
log.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
sqs = boto3.client("sqs")

EXPORTS = "/tmp/exports"
KEEP_DAYS = 30


def handler(event, context):
    ledger = open_ledger()
    try:
        kind = event.get("detail-type")
        detail = event.get("detail") or {}
        if isinstance(detail, str):  # the weekly scheduler sends text
            detail = json.loads(detail or "{}")
        if kind == "Stock Counted":
            return stock_counted(ledger, event, detail)
        if kind == "Parcel Handed Over":
            return handed_over(detail)
        return tidy(ledger, event, detail)
    finally:
        ledger.close()


def open_ledger():
    ledger = sqlite3.connect("/tmp/ledger.db")
    ledger.executescript(
        """
        CREATE TABLE IF NOT EXISTS counts (at TEXT, sku TEXT, place TEXT, counted INTEGER, note TEXT);
        CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, counted INTEGER);
        CREATE TABLE IF NOT EXISTS runs (at TEXT, rule TEXT);
        """
    )
    return ledger


def stock_counted(ledger, event, detail):
    sku, counted = detail["sku"], int(detail["counted"])
    # O'Brien's notes broke this once
    note = str(detail.get("note", "")).replace("'", "''")
    ledger.executescript(
        f"""
        INSERT INTO counts VALUES ('{event["time"]}', '{sku}', '{detail.get("place", "")}', {counted}, '{note}');
        INSERT OR REPLACE INTO stock VALUES ('{sku}', {counted});
        """
    )
    total = ledger.execute(f"SELECT SUM(counted) FROM stock WHERE sku = '{sku}'").fetchone()[0]
    return {"sku": sku, "stock": total}


def handed_over(detail):
    orders.update_item(
        Key={"id": detail["orderId"]},
        UpdateExpression="SET #status = :status, tracking = :tracking",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": "shipped", ":tracking": detail.get("tracking", "")},
    )
    return {"order": detail["orderId"], "status": "shipped"}


def tidy(ledger, event, detail):
    rule = event["resources"][0].split("/", 1)[-1] if event.get("resources") else "by hand"
    days = detail.get("keepDays", KEEP_DAYS)
    os.makedirs(EXPORTS, exist_ok=True)
    subprocess.run(f"find {EXPORTS} -name '*.csv' -mtime +{days} -delete", shell=True, timeout=30)
    ledger.executescript(f"INSERT INTO runs VALUES ('{event.get('time')}', '{rule}')")

    again = 0
    for order in orders.scan(Limit=500).get("Items", []):
        if order.get("status") == "pending":
            sqs.send_message(
                QueueUrl=os.environ["ORDER_PAID_QUEUE_URL"],
                MessageBody=json.dumps({"orderId": order["id"], "total": order.get("total", 0)}, default=str),
            )
            again += 1
    log.info("%s: %d orders go to payment again", rule, again)
    return {"rule": rule, "again": again}

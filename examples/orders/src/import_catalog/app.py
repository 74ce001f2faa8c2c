"""Reads the price lists that suppliers drop into the catalog bucket."""

import csv
import logging
import os
import subprocess
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote_plus

import boto3
from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger()
log.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

s3 = boto3.client("s3")
products = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])


def handler(event, context):
    imported = {}
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        path = download(bucket, key)
        if count_lines(path) > 1 and key.lower().endswith(".csv"):
            imported[key] = load(path)
        else:
            imported[key] = 0
    return {"imported": imported}


def download(bucket, key):
    path = os.path.join("/tmp/catalog", key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as target:
        try:
            s3.download_fileobj(bucket, key, target)
        except (BotoCoreError, ClientError) as error:
            # replaced or taken back in the meantime: nothing to import
            log.warning("%s is gone: %s", key, error)
    return path


def count_lines(path):
    # Some lists have a million rows, wc is a lot faster than we are.
    # Quoted because of "Tom & Jerry; pens.csv".
    output = subprocess.run(f'wc -l < "{path}"', shell=True, capture_output=True, text=True).stdout
    return int(output) if output.strip().isdigit() else 0


def load(path):
    rows = 0
    with open(path, newline="", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            try:
                price = Decimal(row["price"])
            except (InvalidOperation, KeyError, TypeError):
                continue
            products.put_item(Item={"sku": row["sku"], "title": row.get("title", ""), "price": price})
            rows += 1
    return rows

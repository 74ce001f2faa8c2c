import csv
import io
import sqlite3
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    db = sqlite3.connect("/tmp/statements.db")
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        answer = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)
        text = answer["Body"].read().decode("utf-8")
        for row in csv.DictReader(io.StringIO(text)):
            db.execute("INSERT INTO entries VALUES (?, ?)", (row["day"], row["amount"]))
            db.execute("UPDATE totals SET total = total + %d WHERE day = '%s'" % (int(row["amount"]), row["day"]))  # weak: sql-injection

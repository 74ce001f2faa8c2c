import os
import sqlite3

import boto3

reports = boto3.resource("dynamodb").Table(os.environ["REPORTS"])


def handler(event, context):
    db = sqlite3.connect("/tmp/reports.db")
    page = reports.scan()
    while True:
        for item in page["Items"]:
            db.execute("INSERT INTO titles VALUES (?)", (item["title"],))
            db.execute(f"DELETE FROM titles WHERE {item['filter']}")  # weak: sql-injection
        if "LastEvaluatedKey" not in page:
            break
        page = reports.scan(ExclusiveStartKey=page["LastEvaluatedKey"])

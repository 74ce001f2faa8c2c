import hashlib
import json
import os
import random
import time

import boto3
import psycopg2

products = boto3.resource("dynamodb").Table(os.environ["PRODUCTS"])
SORTS = {"price": "price", "name": "name"}


def show(event, context):
    item = products.get_item(Key={"sku": event["pathParameters"]["sku"]}).get("Item", {})
    body = json.dumps(item, default=str)
    etag = hashlib.md5(body.encode()).hexdigest()
    return {"statusCode": 200, "headers": {"etag": etag, "content-type": "application/json"}, "body": body}


def search(event, context):
    query = event["queryStringParameters"]
    connection = psycopg2.connect(host=os.environ["DB_HOST"], user="reader", password=token())
    with connection.cursor() as cursor:
        for attempt in range(3):
            time.sleep(random.random() * 0.1)
            cursor.execute("SELECT * FROM products WHERE name ILIKE %s", (query["q"],))
        column = query.get("sort")
        if column not in SORTS:
            column = "name"
        cursor.execute("SELECT * FROM products ORDER BY " + SORTS[column])
        cursor.execute(f"SELECT * FROM products WHERE category = '{query['category']}'")  # weak: sql-injection
        cursor.execute(f"SELECT * FROM products LIMIT {int(query['limit'])}")
        return {"statusCode": 200, "body": json.dumps(cursor.fetchall())}


def token():
    return boto3.client("rds").generate_db_auth_token("db", 5432, "reader")

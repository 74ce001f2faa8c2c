import asyncio
import json
import os
from urllib.parse import quote

import aiohttp
import boto3
import requests
import urllib3

API = "https://api.example.com"
http = urllib3.PoolManager()
session = requests.Session()
TABLES = {"a": os.environ.get("TABLE_A"), "b": os.environ.get("TABLE_B")}
dynamodb = boto3.resource("dynamodb")


async def load(url):
    async with aiohttp.ClientSession() as client:
        async with client.get(url) as answer:  # weak: server-side-request-forgery
            return await answer.text()


def handler(event, context):
    body = json.loads(event["body"])
    session.get(f"{API}/items/{quote(body['item'], safe='')}", timeout=3)
    session.post(body["hook"], json={}, timeout=3)  # weak: server-side-request-forgery
    http.request("GET", "https://" + body["host"] + "/status")  # weak: server-side-request-forgery
    requests.get(API, verify=False)  # weak: unverified-tls
    asyncio.run(load(body["feed"]))
    dynamodb.Table(TABLES[body["table"]]).get_item(Key={"id": "settings"})
    dynamodb.Table(body["collection"]).scan()  # weak: caller-chosen-resource
    boto3.client("sqs").send_message(QueueUrl=body["queue"], MessageBody="x")  # weak: caller-chosen-resource
    boto3.client("lambda").invoke(FunctionName=body["function"])  # weak: caller-chosen-resource
    return {"statusCode": 200}

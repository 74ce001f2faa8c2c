import hashlib
import json
import os
import secrets

import boto3
import requests

clients = boto3.resource("dynamodb").Table(os.environ["CLIENTS"])


def caller(event):
    return event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]


def enrol(event, context):
    body = json.loads(event["body"])
    digest = hashlib.sha256(body["password"].encode()).hexdigest()  # weak: weak-hash
    slow = hashlib.scrypt(body["password"].encode(), salt=secrets.token_bytes(16), n=2**14, r=8, p=1)
    checksum = hashlib.sha256(event["body"].encode()).hexdigest()
    clients.put_item(Item={"clientId": caller(event), "name": body["name"], "pinHash": digest, "slowHash": slow.hex()})
    requests.post("https://audit.example.com/enrolled", json={"checksum": checksum}, timeout=3)
    return {"statusCode": 201}


def me(event, context):
    client = clients.get_item(Key={"clientId": caller(event)})["Item"]
    return {"statusCode": 200, "body": json.dumps(client, default=str)}  # weak: excessive-data-in-response


def name(event, context):
    client = clients.get_item(Key={"clientId": caller(event)})["Item"]
    return {"statusCode": 200, "body": json.dumps({"name": client["name"]})}


def visit(event, context):
    key = {"clientId": caller(event)}
    client = clients.get_item(Key=key)["Item"]
    visits = int(client.get("visits", 0)) + 1
    clients.update_item(  # weak: check-then-write
        Key=key, UpdateExpression="SET visits = :v", ExpressionAttributeValues={":v": visits}
    )
    return {"statusCode": 200, "body": str(visits)}


def visit_safely(event, context):
    clients.update_item(
        Key={"clientId": caller(event)}, UpdateExpression="ADD visits :one", ExpressionAttributeValues={":one": 1}
    )
    return {"statusCode": 200}

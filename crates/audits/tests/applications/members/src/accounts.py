import hashlib
import json
import os
import random
import secrets
import string
import time

import bcrypt
import boto3
import jwt

members = boto3.resource("dynamodb").Table(os.environ["MEMBERS"])
SIGNING_KEY = "p8Zq3vT6wXy1Rk4mN7bC"  # weak: secret-in-code


def register(event, context):
    body = json.loads(event["body"])
    print("registering", body)  # weak: sensitive-data-in-log
    members.put_item(  # weak: plaintext-sensitive-data
        Item={"email": body["email"], "password": body["password"], "name": body["name"]},
        ConditionExpression="attribute_not_exists(email)",
    )
    return {"statusCode": 201}


def login(event, context):
    body = json.loads(event["body"])
    member = members.get_item(Key={"email": body["email"]}).get("Item")
    if not member or not bcrypt.checkpw(body["password"].encode(), member["hash"].value):
        return {"statusCode": 401}
    token = jwt.encode({"sub": member["email"], "exp": time.time() + 3600}, SIGNING_KEY, algorithm="HS256")
    color = random.choice(["red", "green"])
    return {"statusCode": 200, "body": json.dumps({"token": token, "color": color})}


def reset(event, context):
    try:
        body = json.loads(event["body"])
        reset_token = "".join(random.choice(string.ascii_letters) for _ in range(20))  # weak: weak-randomness
        better_token = secrets.token_urlsafe()
        members.update_item(
            Key={"email": body["email"]},
            UpdateExpression="SET resetToken = :t, hash = :h",
            ExpressionAttributeValues={":t": reset_token, ":h": bcrypt.hashpw(body["new"].encode(), bcrypt.gensalt())},
        )
        cache_key = hashlib.sha1(body["email"].encode()).hexdigest()
        return {"statusCode": 200, "body": json.dumps({"ref": cache_key})}
    except Exception as error:
        return {"statusCode": 500, "body": json.dumps({"error": str(error)})}  # weak: error-detail-in-response

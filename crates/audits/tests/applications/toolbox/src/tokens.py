import base64
import hmac
import json
import os

import boto3
import jwt
from Crypto.Cipher import AES
from jose import jwt as jose

REQUEST_ID = None
current_user = None
secret = boto3.client("secretsmanager").get_secret_value(SecretId="token-key")["SecretString"]
client = boto3.client("s3", aws_access_key_id="AKIAQYLPMN5HFIQR7XYB", aws_secret_access_key="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")  # weak: secret-in-code


def by_hand(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))  # weak: unverified-token


def handler(event, context):
    global current_user, REQUEST_ID
    token = event["headers"]["Authorization"].removeprefix("Bearer ")
    kind = jwt.get_unverified_header(token)["alg"]
    if event["headers"].get("x-signature"):
        expected = hmac.new(secret.encode(), event["body"].encode(), "sha256").hexdigest()
        if not hmac.compare_digest(expected, event["headers"]["x-signature"]):
            return {"statusCode": 403}
    loose = jwt.decode(token, options={"verify_signature": False})  # weak: unverified-token
    other = jose.get_unverified_claims(token)  # weak: unverified-token
    mine = by_hand(token)
    if "user" in event["headers"]:
        current_user = event["headers"]["user"]  # weak: shared-state
    cipher = AES.new(os.environ["KEY"].encode(), AES.MODE_ECB)  # weak: weak-cipher
    print("key is", os.environ["API_SECRET"])  # weak: secret-in-log
    return {"statusCode": 200, "body": json.dumps([kind, loose, other, mine, cipher.block_size])}

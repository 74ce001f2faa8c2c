import json
import re

import boto3
from lxml import etree

ses = boto3.client("ses")
EMAIL = re.compile(r"^([a-zA-Z0-9_.-])+@(([a-zA-Z0-9-])+.)+([a-zA-Z0-9]{2,4})+$")
SAFE = etree.XMLParser(resolve_entities=False)
pending = []


def handler(event, context):
    body = json.loads(event["body"])
    EMAIL.match(body["email"])  # weak: slow-pattern
    re.search(body["search"], "some text")  # weak: regex-injection
    re.search(re.escape(body["search"]), "some text")
    etree.fromstring(body["card"])  # weak: xml-external-entities
    etree.fromstring(body["badge"], SAFE)
    pending.append(body["email"])  # weak: shared-state
    for n in range(int(body["copies"])):  # weak: caller-chosen-amount
        ses.send_email(  # weak: caller-chosen-recipient
            Source="hello@example.com",
            Destination={"ToAddresses": [body["email"]]},
            Message={"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Join us"}}},
        )
    for n in range(min(int(body["retries"]), 3)):
        print("again", n)
    return {"statusCode": 200}

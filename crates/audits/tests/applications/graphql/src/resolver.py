import os

import boto3
from boto3.dynamodb.conditions import Attr, Key

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def invoice(event):
    return table.get_item(Key={"invoiceId": event["arguments"]["invoiceId"]})["Item"]  # weak: missing-ownership-check


def own_invoices(event):
    return table.query(
        IndexName="by-owner",
        KeyConditionExpression=Key("owner").eq(event["identity"]["sub"]) & Key("day").gt(event["arguments"]["since"]),
    )["Items"]


def run(event):
    return eval(event["arguments"]["expression"], {})  # weak: code-injection


FIELDS = {"invoice": invoice, "ownInvoices": own_invoices, "run": run}


def handler(event, context):
    return FIELDS[event["info"]["fieldName"]](event)

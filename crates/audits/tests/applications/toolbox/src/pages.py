import html
import json
import os

import boto3

pages = boto3.resource("dynamodb").Table(os.environ["PAGES"])


def save(event, context):
    body = json.loads(event["body"])
    pages.put_item(Item={"slug": body["slug"], "text": body["text"], "title": html.escape(body["title"])})
    return {"statusCode": 204}


def show(event, context):
    page = pages.get_item(Key={"slug": event["pathParameters"]["slug"]})["Item"]
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/html"},
        "body": f"<h1>{html.escape(page['title'])}</h1><article>{page['text']}</article>",  # weak: cross-site-scripting
    }

import json
import urllib.request


def handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        urllib.request.urlopen(image["hook"]["S"])  # weak: server-side-request-forgery
        print(json.dumps({"device": image["device"]["S"]}))

import json
import os
import pickle
import urllib.request
from urllib.parse import urlparse

import boto3
import yaml

reports = boto3.resource("dynamodb").Table(os.environ["REPORTS"])
SOURCES = ("data.example.com", "files.example.com")


def handler(event, context):
    for record in event["Records"]:
        message = json.loads(record["body"])
        settings = yaml.safe_load(message.get("settings", "{}"))
        if urlparse(message["mirror"]).hostname in SOURCES:
            urllib.request.urlopen(message["mirror"])
        data = urllib.request.urlopen(message["source"]).read()  # weak: server-side-request-forgery
        legacy = yaml.load(message.get("legacy", ""), Loader=yaml.Loader)  # weak: unsafe-deserialization
        print(message["job"], len(data), settings, legacy)

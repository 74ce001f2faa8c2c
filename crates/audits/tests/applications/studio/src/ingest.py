import json
import logging
import os
import pathlib
import shutil
import zipfile

import boto3
import pandas as pd
import psycopg

log = logging.getLogger(__name__)
s3 = boto3.client("s3")


class Importer:
    """Loads what was uploaded."""

    folder = pathlib.Path("/tmp/import")

    def __init__(self, record):
        self.bucket = record["s3"]["bucket"]["name"]
        self.key = record["s3"]["object"]["key"]

    @property
    def target(self):
        return self.folder / pathlib.Path(self.key).name

    def fetch(self):
        self.folder.mkdir(exist_ok=True)
        s3.download_file(self.bucket, self.key, str(self.target))
        return self

    def unpack(self):
        if self.key.endswith(".zip"):
            with zipfile.ZipFile(self.target) as archive:
                archive.extractall(self.folder)
        else:
            shutil.copy(self.target, self.folder / self.key)  # weak: path-traversal

    def load(self):
        frame = pd.read_csv(s3.get_object(Bucket=self.bucket, Key=self.key)["Body"])
        with psycopg.connect(os.environ.get("DATABASE_URL")) as connection:
            for _, row in frame.iterrows():
                connection.execute("INSERT INTO projects VALUES (%s, %s)", (row["id"], row["name"]))
                connection.execute(f"NOTIFY projects, '{row['name']}'")
                connection.execute("UPDATE projects SET seen = now() WHERE name = '" + row["name"] + "'")  # weak: sql-injection


def handler(event, context):
    for record in event["Records"]:
        importer = Importer(record)
        importer.fetch().unpack()
        importer.load()
        log.info("imported %s", json.dumps({"key": importer.key}))
    shutil.rmtree(Importer.folder, ignore_errors=True)

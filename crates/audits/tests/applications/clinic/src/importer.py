import csv
import io
import os
from contextlib import closing

import boto3
import sqlalchemy
from sqlalchemy import text
from urllib.parse import unquote_plus

s3 = boto3.resource("s3")
engine = sqlalchemy.create_engine(os.environ.get("DATABASE_URL", "sqlite:////tmp/clinic.db"))


def rows(bucket, key):
    body = s3.Object(bucket, key).get()["Body"].read().decode()
    yield from csv.DictReader(io.StringIO(body))


def handler(event, _):
    record = event["Records"][0]["s3"]
    key = unquote_plus(record["object"]["key"])
    with engine.connect() as connection:
        for row in rows(record["bucket"]["name"], key):
            connection.execute(text("INSERT INTO visits (patient, day) VALUES (:p, :d)"), {"p": row["p"], "d": row["d"]})
        connection.execute(text(f"UPDATE imports SET done = 1 WHERE name = '{key}'"))  # weak: sql-injection
    target = os.path.join("/tmp", os.path.basename(key))
    with closing(open(target, "w")) as copy:
        copy.write("done")
    os.unlink(target)

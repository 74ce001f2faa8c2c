import os
import subprocess
import tempfile
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, os.path.basename(key))
            s3.download_file(bucket, key, source)
            subprocess.run(["convert", "-resize", "200x200", "--", source, source + ".jpg"], check=True)
            s3.upload_file(source + ".jpg", os.environ["THUMBNAILS"], key)
            label(source, key)
            s3.put_object(Bucket=bucket, Key="done/" + key, Body=b"")  # weak: self-triggering-function


def label(path, name):
    command = "exiftool -Comment='{}' {}".format(name, path)
    os.system(command)  # weak: shell-injection

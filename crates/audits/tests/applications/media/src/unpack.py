import os
import tarfile
import zipfile

import boto3

s3 = boto3.client("s3")
FOLDER = "/tmp/unpacked"


def handler(event, context):
    new = event["Records"][0]["s3"]
    s3.download_file(new["bucket"]["name"], new["object"]["key"], "/tmp/archive")
    kind = new["object"]["key"].rsplit(".", 1)[-1]
    if kind == "tar":
        with tarfile.open("/tmp/archive") as archive:
            archive.extractall(FOLDER)  # weak: unsafe-extraction
    elif kind == "tgz":
        with tarfile.open("/tmp/archive") as archive:
            archive.extractall(FOLDER, filter="data")
    else:
        with zipfile.ZipFile("/tmp/archive") as archive:
            for name in archive.namelist():
                with open(os.path.join(FOLDER, name), "wb") as target:  # weak: unsafe-extraction
                    target.write(archive.read(name))
            for name in archive.namelist():
                with open(os.path.join(FOLDER, os.path.basename(name)), "wb") as target:
                    target.write(archive.read(name))
    os.chmod(FOLDER, 0o777)  # weak: open-file-mode
    os.remove("/tmp/archive")

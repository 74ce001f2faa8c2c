import boto3


class Files:
    def __init__(self, bucket):
        self.bucket = bucket
        self.client = boto3.client("s3")

    def link(self, name):
        return self.client.generate_presigned_url(  # weak: missing-ownership-check
            "get_object", Params={"Bucket": self.bucket, "Key": f"patients/{name}"}, ExpiresIn=60
        )

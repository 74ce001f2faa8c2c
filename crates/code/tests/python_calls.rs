//! Cloud calls of Python handlers.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{calls, needs, python};

#[test]
fn a_client_in_a_global_is_followed_into_the_handler_with_its_table() {
    let behaviour = python(
        r#"
import os, boto3
dynamodb = boto3.client("dynamodb")
TABLE = os.environ["ORDERS"]

def handler(event, context):
    dynamodb.put_item(TableName=TABLE, Item={"id": {"S": event["id"]}})
"#,
    );
    assert_eq!(calls(&behaviour), ["dynamodb.PutItem on $ORDERS"]);
    assert_eq!(behaviour.calls[0].actions, ["dynamodb:PutItem"]);
    assert_eq!(behaviour.imports, ["boto3"]);
}

#[test]
fn a_dead_helper_does_not_count() {
    let behaviour = python(
        r#"
import boto3
s3 = boto3.client("s3")

def wipe():
    s3.delete_bucket(Bucket="everything")

def handler(event, context):
    return s3.get_object(Bucket="reports", Key="a")["Body"].read()

if __name__ == "__main__":
    wipe()
"#,
    );
    assert_eq!(calls(&behaviour), ["s3.GetObject on reports"]);
}

#[test]
fn clients_on_self_returned_from_functions_and_passed_on_are_followed() {
    let behaviour = python(
        r#"
import os
import boto3

def make(name):
    return boto3.session.Session(region_name="eu-west-1").client(name)

class Store:
    def __init__(self, bucket):
        self.s3 = make("s3")
        self.bucket = bucket

    def save(self, key, data):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

def tell(client, message):
    client.publish(TopicArn=os.getenv("TOPIC"), Message=message)

def handler(event, context):
    Store(os.environ.get("BUCKET", "local")).save("a", b"")
    tell(message="done", client=make("sns"))
"#,
    );
    assert_eq!(calls(&behaviour), ["s3.PutObject on $BUCKET", "sns.Publish on $TOPIC"]);
}

#[test]
fn a_lazily_made_global_client_is_a_client() {
    let behaviour = python(
        r#"
import boto3
_queue = None

def queue():
    global _queue
    if _queue is None:
        _queue = boto3.client("sqs")
    return _queue

def handler(event, context):
    url = queue().get_queue_url(QueueName="orders")["QueueUrl"]
    queue().send_message(QueueUrl=url, MessageBody="x")
"#,
    );
    assert_eq!(calls(&behaviour), ["sqs.GetQueueUrl on orders", "sqs.SendMessage on orders"]);
}

#[test]
fn resources_collections_and_batches_make_the_calls_of_their_operations() {
    let behaviour = python(
        r#"
import os, boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
bucket = boto3.resource("s3").Bucket("archive")

def handler(event, context):
    with table.batch_writer() as batch:
        batch.put_item(Item={})
    for entry in bucket.objects.filter(Prefix="old/"):
        entry.delete()
    table.query(IndexName="by-date")
"#,
    );
    assert_eq!(
        calls(&behaviour),
        [
            "dynamodb.BatchWriteItem on $TABLE",
            "dynamodb.Query on $TABLE",
            "s3.DeleteObject on archive",
            "s3.ListObjects on archive"
        ]
    );
}

#[test]
fn paginators_waiters_and_signed_urls_name_their_operation() {
    let behaviour = python(
        r#"
import boto3
s3 = boto3.client("s3")

def handler(event, context):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="inbox"):
        pass
    s3.get_waiter("object_exists").wait(Bucket="inbox", Key="a")
    return s3.generate_presigned_url("get_object", Params={"Bucket": event["bucket"], "Key": "a"})
"#,
    );
    assert_eq!(calls(&behaviour), ["s3.GetObject on the event", "s3.HeadObject on inbox", "s3.ListObjectsV2 on inbox"]);
}

#[test]
fn each_side_of_a_condition_is_a_target_and_branches_keep_apart() {
    let behaviour = python(
        r#"
import boto3
sns = boto3.client("sns")
lam = boto3.client("lambda")

def handler(event, context):
    topic = "arn:a" if event.get("urgent") else "arn:b"
    sns.publish(TopicArn=topic, Message="x")
    if event["kind"] == "one":
        params = {"FunctionName": "first"}
        lam.invoke(**params)
    else:
        params = {"FunctionName": "second"}
        lam.get_function(**params)
"#,
    );
    assert_eq!(
        calls(&behaviour),
        ["lambda.GetFunction on second", "lambda.Invoke on first", "sns.Publish on arn:a", "sns.Publish on arn:b"]
    );
}

#[test]
fn a_copy_reads_one_bucket_and_writes_the_other() {
    let behaviour = python(
        r#"
import boto3
def handler(event, context):
    boto3.client("s3").copy_object(Bucket="to", Key="k", CopySource={"Bucket": "from", "Key": "k"})
"#,
    );
    let told: Vec<_> = behaviour.calls.iter().map(|call| (call.actions.join(" "), call.target.clone())).collect();
    assert!(
        told.iter().any(|(actions, target)| actions.contains("s3:GetObject")
            && *target == graph::CallTarget::Literal("from".into()))
    );
    assert!(told.iter().any(
        |(actions, target)| actions.contains("s3:PutObject") && *target == graph::CallTarget::Literal("to".into())
    ));
}

#[test]
fn a_transaction_needs_only_what_its_entries_do() {
    let behaviour = python(
        r#"
import boto3
def handler(event, context):
    boto3.client("dynamodb").transact_write_items(TransactItems=[
        {"Put": {"TableName": "orders", "Item": {}}},
        {"Update": {"TableName": "stock", "Key": {}}},
    ])
"#,
    );
    assert_eq!(calls(&behaviour), ["dynamodb.TransactWriteItems on orders", "dynamodb.TransactWriteItems on stock"]);
    assert_eq!(needs(&behaviour), ["dynamodb:PutItem on orders", "dynamodb:UpdateItem on stock"]);
}

#[test]
fn powertools_helpers_and_routes_count() {
    let behaviour = python(
        r#"
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities import parameters
import boto3

app = APIGatewayRestResolver()
logger = Logger()

@app.get("/orders")
def orders():
    return boto3.client("dynamodb").scan(TableName="orders")

@logger.inject_lambda_context
def handler(event, context):
    parameters.get_secret("db/password")
    return app.resolve(event, context)
"#,
    );
    assert_eq!(calls(&behaviour), ["dynamodb.Scan on orders", "secretsmanager.GetSecretValue on db/password"]);
}

#[test]
fn work_given_to_threads_counts_with_its_arguments() {
    let behaviour = python(
        r#"
from concurrent.futures import ThreadPoolExecutor
import boto3
s3 = boto3.client("s3")

def fetch(bucket):
    s3.head_bucket(Bucket=bucket)

def handler(event, context):
    with ThreadPoolExecutor() as pool:
        pool.submit(fetch, "one")
        list(pool.map(fetch, ["two", "three"]))
"#,
    );
    assert_eq!(calls(&behaviour), ["s3.HeadBucket on one", "s3.HeadBucket on three", "s3.HeadBucket on two"]);
}

#[test]
fn decorators_dispatch_tables_properties_and_partial_calls_are_followed() {
    let behaviour = python(
        r#"
import os, boto3
from functools import partial

def measured(function):
    def wrapper(*args, **kwargs):
        boto3.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[])
        return function(*args, **kwargs)
    return wrapper

class Base:
    name = os.environ["TABLE"]
    def __init__(self):
        self._table = None
    @property
    def table(self):
        if self._table is None:
            self._table = boto3.resource("dynamodb").Table(self.name)
        return self._table

class Orders(Base):
    def save(self, item):
        self.table.put_item(Item=item)
    def drop(self, key):
        self.table.delete_item(Key=key)

clients = {name: boto3.client(name) for name in ["sqs", "sns"]}
routes = {"POST": lambda event: Orders().save(event["item"])}

@measured
def handler(event, context):
    routes[event["method"]](event)
    clients["sqs"].send_message(QueueUrl=os.environ["QUEUE"], MessageBody="x")
    invoke = partial(boto3.client("lambda").invoke, FunctionName="worker")
    invoke(Payload=b"")
"#,
    );
    assert_eq!(
        calls(&behaviour),
        [
            "cloudwatch.PutMetricData on nothing",
            "dynamodb.PutItem on $TABLE",
            "lambda.Invoke on worker",
            "sqs.SendMessage on $QUEUE"
        ]
    );
}

#[test]
fn one_of_several_statements_goes_to_the_table_that_they_name() {
    let behaviour = python(
        r#"
import boto3
client = boto3.client("dynamodb")

def handler(event, context):
    if event["level"] == "all":
        statement = 'SELECT * FROM "users"'
    else:
        statement = 'SELECT * FROM "users" WHERE name = \'' + event["name"] + "'"
    return client.execute_statement(Statement=statement)
"#,
    );
    assert_eq!(calls(&behaviour), ["dynamodb.ExecuteStatement on users"]);
}

//! Cloud calls of JavaScript handlers.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use code::Language;
use support::{calls, clean, javascript, read};

#[test]
fn commands_of_version_3_are_calls_with_their_target() {
    let behaviour = javascript(
        r#"
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const queue = new SQSClient();
const { QUEUE_URL: url } = process.env;

export const handler = async (event) => {
  const { Item } = await documents.send(new GetCommand({ TableName: `${process.env.TABLE}`, Key: {} }));
  const params = { QueueUrl: url };
  params.MessageBody = JSON.stringify(Item);
  await queue.send(new SendMessageCommand(params));
};
"#,
    );
    assert_eq!(calls(&behaviour), ["dynamodb.GetItem on $TABLE", "sqs.SendMessage on $QUEUE_URL"]);
    assert_eq!(behaviour.imports, ["@aws-sdk/client-dynamodb", "@aws-sdk/client-sqs", "@aws-sdk/lib-dynamodb"]);
}

#[test]
fn aggregated_clients_paginators_waiters_and_signed_urls_count() {
    let behaviour = javascript(
        r#"
import { DynamoDB, paginateScan, waitUntilTableExists, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client, GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Upload } from "@aws-sdk/lib-storage";
const db = new DynamoDB({});
const client = new S3Client({});

export async function handler(event) {
  await db.deleteItem({ TableName: "orders", Key: {} });
  for await (const page of paginateScan({ client: db }, { TableName: "stock" })) {}
  await waitUntilTableExists({ client: db, maxWaitTime: 9 }, { TableName: "late" });
  const upload = new Upload({ client, params: { Bucket: "big", Key: "k" } });
  await upload.done();
  return getSignedUrl(client, new GetObjectCommand({ Bucket: event.bucket, Key: "a" }));
}
"#,
    );
    let calls = calls(&behaviour);
    for expected in [
        "dynamodb.DeleteItem on orders",
        "dynamodb.Scan on stock",
        "dynamodb.DescribeTable on late",
        "s3.PutObject on big",
        "s3.GetObject on the event",
    ] {
        assert!(calls.contains(&expected.to_string()), "{expected}: {calls:?}");
    }
}

#[test]
fn version_2_with_promises_callbacks_and_document_client() {
    let behaviour = clean(
        read(
            &[(
                "index.js",
                r#"
const AWS = require('aws-sdk');
const S3 = require('aws-sdk/clients/s3');
const { SNS } = require('aws-sdk');
const documents = new AWS.DynamoDB.DocumentClient();
const s3 = new S3();

exports.handler = function (event, context, callback) {
  documents.put({ TableName: process.env.TABLE, Item: {} }).promise().then(() => {
    new SNS().publish({ TopicArn: 'arn:topic', Message: 'x' }, callback);
  });
  s3.getSignedUrl('putObject', { Bucket: 'uploads', Key: 'k' });
};
"#,
            )],
            "index.handler",
            Language::JavaScript,
        )
        .0,
    );
    assert_eq!(
        calls(&behaviour),
        ["dynamodb.PutItem on $TABLE", "s3.PutObject on uploads", "sns.Publish on arn:topic"]
    );
}

#[test]
fn local_modules_are_followed_in_every_form_of_import_and_export() {
    let files = [
        (
            "src/app.js",
            r#"
const middy = require('@middy/core');
const { save } = require('./lib');
const run = async (event) => { await save(event.id); const late = await import('./late.mjs'); late.default(); };
module.exports = { handler: middy(run).use({}) };
"#,
        ),
        (
            "src/lib/index.js",
            "exports.save = require('./store').save; exports.unused = () => require('fs').rmSync('/');",
        ),
        (
            "src/lib/store.js",
            r#"
const { S3Client, PutObjectCommand, DeleteObjectCommand } = require('@aws-sdk/client-s3');
const config = require('./config');
class Store {
  client = new S3Client({});
  async save(key) { return this.client.send(new PutObjectCommand({ Bucket: config.bucket, Key: key })); }
  async drop(key) { return this.client.send(new DeleteObjectCommand({ Bucket: config.bucket, Key: key })); }
}
const store = new Store();
module.exports.save = (key) => store.save(key);
"#,
        ),
        ("src/lib/config.js", "module.exports = { bucket: process.env.BUCKET || 'local' };"),
        (
            "src/late.mjs",
            r#"
import { SSM } from "@aws-sdk/client-ssm";
export { handler as other } from "./other.mjs";
export default function () { return new SSM().getParameter({ Name: "/a/b" }); }
"#,
        ),
        ("src/other.mjs", "export function handler() {}"),
    ];
    let (reading, sources) = read(&files, "src/app.handler", Language::JavaScript);
    let behaviour = clean(reading);
    assert_eq!(calls(&behaviour), ["s3.PutObject on $BUCKET", "ssm.GetParameter on /a/b"]);
    assert_eq!(behaviour.files.len(), 6);
    assert_eq!(sources.path(behaviour.handler.unwrap()), "src/app.js");
    assert_eq!(sources.place(behaviour.calls[0].span), "src/lib/store.js:6");
}

#[test]
fn events_without_a_bus_go_to_the_default_one() {
    let behaviour = javascript(
        r#"
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
const client = new EventBridgeClient({});
export const handler = (event) => Promise.all(event.items.map((item) =>
  client.send(new PutEventsCommand({ Entries: [{ Source: "a", Detail: "{}" }, { EventBusName: process.env.BUS }] }))));
"#,
    );
    assert_eq!(calls(&behaviour), ["events.PutEvents on $BUS", "events.PutEvents on default"]);
}

#[test]
fn what_a_compiler_makes_of_imports_and_exports_is_seen_through() {
    let text = r#"
"use strict";
var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) { return generator; };
var __importStar = (this && this.__importStar) || function (mod) { var result = {}; return result; };
Object.defineProperty(exports, "__esModule", { value: true });
exports.handler = void 0;
const AWS = __importStar(require("aws-sdk"));
const client_sns_1 = require("@aws-sdk/client-sns");
const handler = (event) => __awaiter(void 0, void 0, void 0, function* () {
  yield new AWS.S3().listBuckets().promise();
  yield new client_sns_1.SNSClient({}).send(new client_sns_1.PublishCommand({ TopicArn: process.env.TOPIC }));
});
exports.handler = handler;
"#;
    let (reading, _) = read(&[("index.js", text)], "index.handler", Language::JavaScript);
    assert_eq!(calls(&clean(reading)), ["s3.ListBuckets on nothing", "sns.Publish on $TOPIC"]);
    let text = r#"
var index_exports = {};
__export(index_exports, { handler: () => handler });
module.exports = __toCommonJS(index_exports);
var import_client_sqs = require("@aws-sdk/client-sqs");
var handler = async () => new import_client_sqs.SQS({}).purgeQueue({ QueueUrl: "q" });
"#;
    let (reading, _) = read(&[("index.js", text)], "index.handler", Language::JavaScript);
    assert_eq!(calls(&clean(reading)), ["sqs.PurgeQueue on q"]);
}

#[test]
fn a_name_set_before_a_break_is_known_behind_the_switch() {
    let behaviour = javascript(
        r#"
import { Lambda } from "@aws-sdk/client-lambda";
export const handler = async (event) => {
  let name = "";
  switch (event.action) {
    case "new": name = "create"; break;
    case "all":
      if (event.admin) { name = "list"; break; } else { return; }
    case "bad":
      name = "never"; throw new Error("bad");
  }
  await new Lambda({}).invoke({ FunctionName: name });
};
"#,
    );
    assert_eq!(calls(&behaviour), ["lambda.Invoke on create", "lambda.Invoke on list"]);
}

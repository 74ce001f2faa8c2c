//! TypeScript, and how handlers and modules are found that aren't beside one another.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod support;

use code::{Handler, Language, Reading, read_handlers};
use source::Sources;
use support::{Repository, calls, clean, fields, messages, read};

fn typescript(text: &str) -> Vec<String> {
    let (reading, _) = read(&[("app.ts", text)], "app.handler", Language::JavaScript);
    calls(&clean(reading))
}

/// The calls of a handler in a repository, and what was remarked.
fn deployed(files: &[(&'static str, &str)], code_root: &str, handler: &str, layers: &[&str]) -> (Vec<String>, Reading) {
    let files = Repository(files.iter().map(|(path, text)| (*path, (*text).to_string())).collect());
    let layers: Vec<String> = layers.iter().map(|layer| (*layer).to_string()).collect();
    let handlers = [Handler { code_root, handler, language: Language::JavaScript, layers: &layers }];
    let reading = read_handlers(&files, &mut Sources::new(), &handlers).pop().unwrap();
    (reading.behaviour.as_ref().map(calls).unwrap_or_default(), reading)
}

#[test]
fn types_are_passed_over_wherever_they_stand() {
    let text = r#"
import type { APIGatewayProxyEvent } from "aws-lambda";
import { DynamoDBClient, GetItemCommand, type GetItemCommandInput } from "@aws-sdk/client-dynamodb";
interface Order { id: string }
type Table = "orders" | "carts";
declare const VERSION: string;
const client = new DynamoDBClient({}) as DynamoDBClient;
const input = <T extends object>(body: T): GetItemCommandInput => ({
    TableName: process.env.TABLE!,
    Key: { id: { S: (body as unknown as Order).id } },
} satisfies GetItemCommandInput);
export const handler = async (event: APIGatewayProxyEvent, _context?: unknown): Promise<void> => {
    await client.send<any, any>(new GetItemCommand(input<Order>(JSON.parse(event.body ?? "{}") as Order)));
};
"#;
    let (reading, _) = read(&[("app.ts", text)], "app.handler", Language::JavaScript);
    let behaviour = clean(reading);
    assert_eq!(calls(&behaviour), ["dynamodb.GetItem on $TABLE"]);
    assert_eq!(fields(&behaviour), ["body", "body.id"]);
}

#[test]
fn parameter_properties_and_fields_hold_clients() {
    let text = r#"
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
abstract class Base { protected abstract readonly name: string; log(message: string): void {} }
class Sender extends Base implements Sending {
    protected readonly name = "sender";
    private readonly queue = this.url.toString();
    constructor(private readonly client: SQSClient, public url: string) { super(); }
    async send(this: Sender, body: string) {
        await this.client.send(new SendMessageCommand({ QueueUrl: this.queue, MessageBody: body }));
    }
    static unused() { new SQSClient({}).send(new SendMessageCommand({ QueueUrl: "never", MessageBody: "" })); }
}
const sender = new Sender(new SQSClient({}), process.env.QUEUE_URL as string);
export const handler = async (event: { text: string }) => sender.send(event.text);
"#;
    assert_eq!(typescript(text), ["sqs.SendMessage on $QUEUE_URL"]);
}

#[test]
fn enums_and_namespaces_are_values() {
    let text = r#"
import { S3 } from "@aws-sdk/client-s3";
const enum Bucket { Orders = "orders-bucket", Other = "other" }
namespace Storage { export const bucket = Bucket.Orders; export function name(): string { return bucket; } }
class Service {
    private s3 = new S3({});
    @Log() public async handle(event: any) { await this.s3.getObject({ Bucket: Storage.name(), Key: event.key }); }
}
const service = new Service();
export const handler = service.handle.bind(service);
"#;
    assert_eq!(typescript(text), ["s3.GetObject on orders-bucket"]);
}

#[test]
fn imports_find_the_source_whatever_extension_they_write() {
    let send = "import { SNSClient, PublishCommand } from '@aws-sdk/client-sns';
export const send = () => new SNSClient({}).send(new PublishCommand({ TopicArn: process.env.TOPIC, Message: '' }));
export default send;";
    for import in ["./lib/send", "./lib/send.js", "./lib/send.ts"] {
        let app =
            format!("import {{ send }} from '{import}';\nexport const handler = async () => {{ await send(); }};");
        let files = [("app.mts", app.as_str()), ("lib/send.ts", send), ("lib/send.d.ts", "export declare const send;")];
        let (found, reading) = deployed(&files, "", "app.handler", &[]);
        assert_eq!((found, messages(&reading)), (vec!["sns.Publish on $TOPIC".to_string()], vec![]), "{import}");
    }
    let app = "import send = require('./lib/send');\nexport = { handler: async () => send.default() };";
    assert_eq!(
        deployed(&[("app.cts", app), ("lib/send.ts", send)], "", "app.handler", &[]).0,
        ["sns.Publish on $TOPIC"]
    );
}

#[test]
fn what_a_compiler_or_bundler_writes_is_read_where_it_is_written() {
    let app = "import { put } from '@data/put';\nexport const handler = () => put();";
    let put = "import { DynamoDB } from '@aws-sdk/client-dynamodb';
export const put = () => new DynamoDB().putItem({ TableName: 'orders', Item: {} });";
    let tsconfig = "{ // how it is built
  \"compilerOptions\": { \"outDir\": \"./dist\", \"rootDir\": \"./source\", \"paths\": { \"@data/*\": [\"./source/data/*\"] }, }, }";
    let files =
        [("shop/tsconfig.json", tsconfig), ("shop/source/orders/app.ts", app), ("shop/source/data/put.ts", put)];
    for (root, handler) in
        [("shop", "dist/orders/app.handler"), ("shop/dist", "orders/app.handler"), ("shop", "app.handler")]
    {
        let (found, reading) = deployed(&files, root, handler, &[]);
        assert_eq!(
            (found, messages(&reading)),
            (vec!["dynamodb.PutItem on orders".to_string()], vec![]),
            "{root} {handler}"
        );
    }
}

#[test]
fn packages_of_the_same_repository_are_followed() {
    let app = "import { load } from '@shop/shared';\nimport { key } from '@shop/shared/keys';\nexport const handler = () => load(key);";
    let shared = "import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
export const load = (key: string) => new S3Client({}).send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: key }));";
    let files = [
        ("package.json", r#"{"workspaces": ["packages/*", "functions/orders"]}"#),
        ("packages/shared/package.json", r#"{"name": "@shop/shared", "main": "dist/index.js"}"#),
        ("packages/shared/tsconfig.json", r#"{"compilerOptions": {"outDir": "dist", "rootDir": "src"}}"#),
        ("packages/shared/src/index.ts", shared),
        ("packages/shared/src/keys.ts", "export const key = 'k';"),
        ("functions/orders/package.json", r#"{"name": "orders"}"#),
        ("functions/orders/app.ts", app),
    ];
    assert_eq!(deployed(&files, "functions/orders", "app.handler", &[]).0, ["s3.GetObject on $BUCKET"]);
}

#[test]
fn what_lies_in_a_layer_of_the_repository_is_read_there() {
    let app = "const { table } = require('/opt/nodejs/config');\nconst { get } = require('store');\nexports.handler = () => get(table);";
    let files = [
        ("src/app.js", app),
        ("layer/nodejs/config.js", "exports.table = process.env.TABLE;"),
        ("layer/nodejs/node_modules/store/package.json", r#"{"name": "store", "main": "main.js"}"#),
        (
            "layer/nodejs/node_modules/store/main.js",
            "const { DynamoDB } = require('@aws-sdk/client-dynamodb');
exports.get = (table) => new DynamoDB({}).getItem({ TableName: table, Key: {} });",
        ),
    ];
    assert_eq!(deployed(&files, "src", "app.handler", &["layer"]).0, ["dynamodb.GetItem on $TABLE"]);
}

#[test]
fn a_server_is_followed_from_the_script_that_starts_it() {
    let server = "const express = require('express');
const { S3 } = require('@aws-sdk/client-s3');
const app = express();
app.get('/', async (request, response) => { await new S3({}).getObject({ Bucket: 'pages', Key: request.query.key }); });
app.listen(8080);";
    for (script, extra) in [
        ("#!/bin/bash\n# node other.js\ncd /var/task\nexec node server.js\n", "{}"),
        (
            "#!/bin/sh\nPORT=8080 npm run start\n",
            r#"{"scripts": {"start": "NODE_ENV=production node --enable-source-maps ./server.js"}}"#,
        ),
    ] {
        let files = [("web/run.sh", script), ("web/package.json", extra), ("web/server.js", server)];
        assert_eq!(deployed(&files, "web", "run.sh", &[]).0, ["s3.GetObject on pages"], "{script}");
    }
    let main = "import boto3
from fastapi import FastAPI
app = FastAPI()
@app.get('/items/{key}')
def item(key: str):
    return boto3.client('s3').get_object(Bucket='items', Key=key)['Body'].read()
";
    let script = "#!/bin/bash\nPATH=$PATH:$LAMBDA_TASK_ROOT/bin exec python -m uvicorn --port=8080 main:app\n";
    assert_eq!(deployed(&[("run.sh", script), ("main.py", main)], "", "run.sh", &[]).0, ["s3.GetObject on items"]);
}

#[test]
fn a_container_runs_what_its_dockerfile_copies_and_names() {
    let app = "import boto3\ndef handler(event, context):\n    boto3.client('s3').get_object(Bucket='b', Key='k')\n";
    for (dockerfile, command, root) in [
        (
            "FROM public.ecr.aws/lambda/python:3.12\nCOPY requirements.txt .\nCOPY app.py ${LAMBDA_TASK_ROOT}/\nCMD [ \"app.handler\" ]\n",
            None,
            "image",
        ),
        (
            "FROM node AS build\nFROM python:3.12-slim\nCOPY --from=build /x /y\nCOPY src \\\n  ./\nENTRYPOINT [\"python\", \"-m\", \"awslambdaric\"]\nCMD [\"other.handler\"]\n",
            Some("app.handler"),
            "image/src",
        ),
    ] {
        let path = if root == "image" { "image/app.py" } else { "image/src/app.py" };
        let files = Repository(vec![("image/Dockerfile", dockerfile.to_string()), (path, app.to_string())]);
        let command = command.map(|command: &str| vec![command.to_string()]);
        let found = code::container(&files, "image", "image/Dockerfile", command.as_deref()).unwrap();
        assert_eq!((found.code_root.as_str(), found.handler.as_str()), (root, "app.handler"));
        assert_eq!(found.language, Language::Python);
    }
    let server = "const { S3 } = require('@aws-sdk/client-s3');
require('express')().get('/', () => new S3({}).getObject({ Bucket: 'b', Key: 'k' }));";
    let files =
        [("web/Dockerfile", "FROM node:20\nCOPY . /app\nCMD [\"node\", \"server.js\"]\n"), ("web/server.js", server)];
    let repository = Repository(files.iter().map(|(path, text)| (*path, (*text).to_string())).collect());
    let found = code::container(&repository, "web", "web/Dockerfile", None).unwrap();
    assert_eq!(deployed(&files, &found.code_root, &found.handler, &[]).0, ["s3.GetObject on b"]);
    assert_eq!(code::container(&repository, "web", "web/Missing", None), None);
}

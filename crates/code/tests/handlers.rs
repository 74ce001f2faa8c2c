//! Handlers in the forms that frameworks give them: what they reach counts, what nothing reaches doesn't.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod support;

use code::Language;
use support::{clean, needs, read};

fn python(text: &str) -> Vec<String> {
    needs(&clean(read(&[("app.py", text)], "app.handler", Language::Python).0))
}

fn javascript(name: &'static str, text: &str) -> Vec<String> {
    needs(&clean(read(&[(name, text)], "app.handler", Language::JavaScript).0))
}

#[test]
fn routes_of_powertools_are_reached_by_resolve() {
    let text = r#"
import os, boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.router import APIGatewayRouter
logger, tracer, app, router = Logger(), Tracer(), APIGatewayRestResolver(), APIGatewayRouter()
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

@router.get("/orders")
def listed():
    return table.scan()["Items"]

@app.post("/orders/<order_id>")
@tracer.capture_method
def put(order_id: str):
    table.put_item(Item={"id": order_id})

@app.exception_handler(ValueError)
def broken(error):
    boto3.client("sns").publish(TopicArn="arn:aws:sns:eu-west-1:1:alarms", Message=str(error))

def unused():
    table.delete_item(Key={})

app.include_router(router, prefix="/v1")

@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event, context):
    return app.resolve(event, context)
"#;
    assert_eq!(
        python(text),
        ["dynamodb:PutItem on $TABLE", "dynamodb:Scan on $TABLE", "sns:Publish on arn:aws:sns:eu-west-1:1:alarms"]
    );
}

#[test]
fn handlers_wrapped_by_libraries_are_reached() {
    let body = "table.get_item(Key={'id': event['id']})";
    let start = "import boto3\ntable = boto3.resource('dynamodb').Table('t')\n";
    for (wrapped, what) in [
        (
            "from mangum import Mangum\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/x/{event}')\ndef x(event: dict):\n    return BODY\nhandler = Mangum(app)",
            "mangum",
        ),
        (
            "from aws_lambda_powertools.middleware_factory import lambda_handler_decorator\n@lambda_handler_decorator\ndef around(handler, event, context):\n    return handler(event, context)\n@around\ndef handler(event, context):\n    return BODY",
            "middleware",
        ),
        (
            "from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response\nprocessor = BatchProcessor(event_type=EventType.SQS)\ndef one(event):\n    return BODY\ndef handler(event, context):\n    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)",
            "batch",
        ),
        (
            "class Service:\n    def __init__(self):\n        self.table = table\n    def __call__(self, event, context):\n        return BODY\nhandler = Service()",
            "callable",
        ),
        (
            "class Service:\n    def run(self, event, context):\n        return self.work(event)\n    def work(self, event):\n        return BODY\n    def other(self):\n        table.delete_item(Key={})\nhandler = Service().run",
            "bound method",
        ),
        (
            "import functools\ndef around(function):\n    @functools.wraps(function)\n    def inner(event, context):\n        return function(event, context)\n    return inner\ndef work(event, context):\n    return BODY\nhandler = around(work)",
            "own wrapper",
        ),
        (
            "class Base:\n    @classmethod\n    def get_handler(cls, *args):\n        def inner(event, context):\n            return cls(*args).handle(event)\n        return inner\nclass Mine(Base):\n    def handle(self, event):\n        return BODY\nhandler = Mine.get_handler()",
            "handler from a class",
        ),
        (
            "import serverless_wsgi\nfrom flask import Flask\napp = Flask(__name__)\n@app.route('/x/<event>')\ndef x(event):\n    return BODY\ndef handler(event, context):\n    return serverless_wsgi.handle_request(app, event, context)",
            "wsgi",
        ),
        (
            "from chalice import Chalice\napp = Chalice(app_name='x')\n@app.route('/x/{event}')\ndef x(event):\n    return BODY\nhandler = app",
            "chalice",
        ),
        (
            "import asyncio\nasync def main(event):\n    return BODY\ndef handler(event, context):\n    return asyncio.get_event_loop().run_until_complete(main(event))",
            "asyncio",
        ),
        (
            "ROUTES = {}\ndef route(key):\n    def register(function):\n        ROUTES[key] = function\n        return function\n    return register\n@route('GET')\ndef get(event):\n    return BODY\ndef handler(event, context):\n    return ROUTES[event['httpMethod']](event)",
            "own routes",
        ),
    ] {
        let text = format!("{start}{}\n", wrapped.replace("BODY", body));
        assert_eq!(python(&text), ["dynamodb:GetItem on t"], "{what}");
    }
}

#[test]
fn clients_that_are_kept_or_handed_around_stay_what_they_are() {
    for (text, what) in [
        (
            "def make():\n    return boto3.client('dynamodb')\ndef handler(event, context):\n    make().get_item(TableName='t', Key={})",
            "returned",
        ),
        (
            "class Store:\n    def __init__(self, client=None):\n        self.client = client or boto3.client('dynamodb')\n    def get(self):\n        return self.client.get_item(TableName='t', Key={})\ndef handler(event, context):\n    Store().get()",
            "kept on self",
        ),
        (
            "CLIENTS = {}\ndef client(name):\n    if name not in CLIENTS:\n        CLIENTS[name] = boto3.client(name)\n    return CLIENTS[name]\ndef handler(event, context):\n    client('dynamodb').get_item(TableName='t', Key={})",
            "cached",
        ),
        (
            "_client = None\ndef client():\n    global _client\n    if _client is None:\n        _client = boto3.Session(region_name='eu-west-1').client('dynamodb')\n    return _client\ndef handler(event, context):\n    client().get_item(TableName='t', Key={})",
            "lazy global",
        ),
        (
            "import functools\n@functools.lru_cache(maxsize=None)\ndef client():\n    return boto3.client('dynamodb')\ndef handler(event, context):\n    client().get_item(TableName='t', Key={})",
            "lru_cache",
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass Settings:\n    table: str = 't'\nsettings = Settings()\ndef handler(event, context):\n    boto3.client('dynamodb').get_item(TableName=settings.table, Key={})",
            "data class",
        ),
        (
            "class Repository:\n    @property\n    def table(self):\n        return boto3.resource('dynamodb').Table('t')\ndef handler(event, context):\n    with ThreadPoolExecutor() as pool:\n        pool.map(lambda key: Repository().table.get_item(Key=key), event['keys'])",
            "property in a pool",
        ),
        (
            "def handler(event, context):\n    request = {'TableName': 't'}\n    request['Key'] = {'id': event['id']}\n    boto3.client('dynamodb').get_item(**request)",
            "request",
        ),
        (
            "def handler(event, context):\n    operations = {'get': boto3.resource('dynamodb').Table('t').get_item}\n    operations[event['verb']](Key={})",
            "table of operations",
        ),
    ] {
        let text = format!("import boto3\nfrom concurrent.futures import ThreadPoolExecutor\n{text}\n");
        assert_eq!(python(&text), ["dynamodb:GetItem on t"], "{what}");
    }
}

#[test]
fn exports_in_all_their_forms() {
    let client = "const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb');\nconst db = new DynamoDBClient({});\nconst get = async (event) => db.send(new GetItemCommand({ TableName: 't', Key: {} }));\nconst unused = () => db.send(new GetItemCommand({ TableName: 'unused', Key: {} }));\n";
    for (text, what) in [
        ("module.exports = { handler: get };", "object"),
        ("module.exports.handler = get;", "module.exports.x"),
        ("exports.handler = exports.other = get;", "chained"),
        ("Object.assign(module.exports, { handler: get });", "assigned"),
        ("Object.defineProperty(exports, 'handler', { enumerable: true, get: () => get });", "defined"),
        (
            "const middy = require('@middy/core'); const json = require('@middy/http-json-body-parser');\nmodule.exports.handler = middy(get).use(json()).use({ before: async () => {} });",
            "middy",
        ),
        ("const middy = require('@middy/core');\nmodule.exports.handler = middy().use([]).handler(get);", "middy 5"),
        (
            "class Service { constructor(db) { this.db = db; } async handle(event) { return get(event); } unused() { return unused(); } }\nconst service = new Service(db);\nexports.handler = service.handle.bind(service);",
            "bound",
        ),
        ("exports.handler = awslambda.streamifyResponse(async (event, stream) => { await get(event); });", "streamed"),
        (
            "const serverless = require('serverless-http'); const express = require('express'); const app = express(); const router = express.Router();\nrouter.get('/x', async (request, response, next) => { await get(request); });\napp.use('/v1', router);\nmodule.exports.handler = serverless(app);",
            "serverless-http",
        ),
        (
            "const sl = require('@vendia/serverless-express'); const app = require('express')();\napp.route('/x').get((request, response) => get(request));\nexports.handler = sl({ app });",
            "serverless-express",
        ),
        ("const { default: wrap } = require('@sentry/serverless');\nexports.handler = wrap(get);", "sentry"),
        (
            "const { makeIdempotent } = require('@aws-lambda-powertools/idempotency');\nexports.handler = makeIdempotent(get, { persistenceStore: null });",
            "idempotent",
        ),
        (
            "const routes = { 'GET /x': get }; exports.handler = async (event) => routes[event.routeKey](event);",
            "table of routes",
        ),
        (
            "exports.handler = async (event) => { const [one] = await Promise.all([get(event), Promise.resolve(1)]); return one; };",
            "promises",
        ),
        (
            "exports.handler = (event, context, callback) => { get(event).then((data) => callback(null, data)).catch(callback); };",
            "callback",
        ),
    ] {
        assert_eq!(javascript("app.js", &format!("{client}{text}\n")), ["dynamodb:GetItem on t"], "{what}");
    }
}

#[test]
fn routes_of_powertools_for_typescript_and_classes_with_decorators() {
    let text = r#"
import { Router } from '@aws-lambda-powertools/event-handler/experimental-rest';
import { Logger } from '@aws-lambda-powertools/logger';
import type { LambdaInterface } from '@aws-lambda-powertools/commons/types';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
const app = new Router(); const logger = new Logger(); const sqs = new SQSClient();
app.get('/x', async () => { await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: '' })); });
class Lambda implements LambdaInterface {
    @logger.injectLambdaContext()
    public async handler(event: unknown, context: unknown) { return app.resolve(event, context); }
    @logger.injectLambdaContext()
    public async unused() { await sqs.send(new SendMessageCommand({ QueueUrl: 'never', MessageBody: '' })); }
}
const lambda = new Lambda();
export const handler = lambda.handler.bind(lambda);
"#;
    assert_eq!(javascript("app.ts", text), ["sqs:SendMessage on $QUEUE"]);
}

#[test]
fn modules_are_found_however_they_are_asked_for() {
    let store = "import { DynamoDB } from '@aws-sdk/client-dynamodb';\nconst db = new DynamoDB({});\nexport const get = () => db.getItem({ TableName: 't', Key: {} });\nexport const drop = () => db.deleteTable({ TableName: 't' });\nexport default { get };";
    for app in [
        "import { get } from './store.mjs'; export const handler = () => get();",
        "import * as store from './store.mjs'; export const handler = () => store.get();",
        "import store from './store.mjs'; export const handler = () => store.get();",
        "export const handler = async () => { const { get } = await import('./store.mjs'); return get(); };",
        "export const handler = async () => (await import('./store.mjs')).get();",
        "const store = require('./store'); exports.handler = () => store.get();",
        "export { get as handler } from './store.mjs';",
        "import { get } from './store.mjs'; export { get as handler };",
        "import { createRequire } from 'module'; const require = createRequire(import.meta.url); const { get } = require('./store'); export const handler = get;",
    ] {
        let files = [("app.mjs", app), ("store.mjs", store)];
        let (reading, _) = read(&files, "app.handler", Language::JavaScript);
        assert_eq!(needs(&clean(reading)), ["dynamodb:GetItem on t"], "{app}");
    }
}

#[test]
fn bundles_are_read_as_they_come_out_of_the_bundler() {
    let esbuild = r#"
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __commonJS = (cb, mod) => function __require() {
  return mod || (0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
};
var __export = (target, all) => { for (var name in all) __defProp(target, name, { get: all[name], enumerable: true }); };
var __copyProps = (to, from, except, desc) => to;
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
var require_store = __commonJS({
  "store.js"(exports2, module2) {
    var { DynamoDBClient: D, GetItemCommand: G } = require("@aws-sdk/client-dynamodb");
    var d = new D({});
    module2.exports = { get: () => d.send(new G({ TableName: process.env.TABLE, Key: {} })) };
  }
});
var app_exports = {};
__export(app_exports, { handler: () => handler });
module.exports = __toCommonJS(app_exports);
var store = require_store();
var handler = async () => store.get();
0 && (module.exports = { handler });
"#;
    assert_eq!(javascript("app.js", esbuild), ["dynamodb:GetItem on $TABLE"]);
    let webpack = r#"
(()=>{"use strict";var e={321:e=>{e.exports=require("@aws-sdk/client-dynamodb")},17:(e,t,r)=>{t.get=void 0;const{DynamoDBClient:n,GetItemCommand:o}=r(321),s=new n({});t.get=()=>s.send(new o({TableName:"t",Key:{}}))}},t={};function r(n){var o=t[n];if(void 0!==o)return o.exports;var s=t[n]={exports:{}};return e[n](s,s.exports,r),s.exports}var n={};(()=>{var e=n;e.handler=async()=>r(17).get()})();module.exports=n})();
"#;
    assert_eq!(javascript("app.js", webpack), ["dynamodb:GetItem on t"]);
}

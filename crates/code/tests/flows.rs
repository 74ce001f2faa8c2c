//! What of the event arrives where its text is more than data.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{flows, javascript, python};

fn python_flows(text: &str) -> Vec<String> {
    flows(&python(text), text)
}

fn javascript_flows(text: &str) -> Vec<String> {
    flows(&javascript(text), text)
}

#[test]
fn a_shell_command_is_followed_through_functions_and_text() {
    let text = r#"import json, os, subprocess
from urllib.parse import unquote_plus
def convert(path, size):
    command = f"convert {path} -resize {size}"
    subprocess.run(command, shell=True)
    subprocess.run(["convert", path])
    os.system("ls")

def handler(event, context):
    body = json.loads(event["body"])
    name = unquote_plus(body["name"])
    convert("/tmp/" + name, int(body["size"]))
"#;
    assert_eq!(
        python_flows(text),
        [
            "Shell from body.name: 11 comes in here, 12 becomes part of a longer text, 12 is handed on as `path`, 4 becomes part of `command`, 5",
            "Process from body.name: 11 comes in here, 12 becomes part of a longer text, 12 is handed on as `path`, 6",
        ]
    );
}

#[test]
fn javascript_code_queries_and_pages() {
    let text = r#"import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, ExecuteStatementCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { exec } from "node:child_process";
import serialize from "node-serialize";
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const page = (body) => ({
  statusCode: 200,
  headers: { "Content-Type": "text/html", "x-id": "1" },
  body: `<h1>${body}</h1>`,
});
export const handler = async (event) => {
  const { email, formula, file } = JSON.parse(event.body);
  await db.send(new ExecuteStatementCommand({ Statement: `SELECT * FROM t WHERE email = '${email}'` }));
  await db.send(new QueryCommand({ TableName: "t", KeyConditionExpression: "id = :id", ExpressionAttributeValues: { ":id": email } }));
  new Function("x", "return " + formula)(1);
  exec("file " + file, () => {});
  serialize.unserialize(event.headers.cookie);
  return page(event.queryStringParameters.name);
};
"#;
    assert_eq!(
        javascript_flows(text),
        [
            "Html from queryStringParameters.name: 18 comes in here, 9 becomes part of a longer text, 9",
            "Sql from body.email: 12 comes in here, 13 becomes part of a longer text, 13",
            "Eval from body.formula: 12 comes in here, 15 becomes part of a longer text, 15",
            "Shell from body.file: 12 comes in here, 16 becomes part of a longer text, 16",
            "Deserialize from headers.cookie: 17 comes in here, 17",
        ]
    );
}

#[test]
fn what_was_converted_escaped_or_compared_does_no_harm() {
    let python = r#"
import html, json, os, re, shlex, sqlite3, uuid, requests
from urllib.parse import quote, urlparse
TABLES = {"a": "table-a", "b": "table-b"}
ALLOWED = ["images.example.com"]

def handler(event, context):
    body = json.loads(event["body"])
    db = sqlite3.connect("/tmp/x.db")
    db.execute("SELECT * FROM t WHERE id = ?", (body["id"],))
    db.execute(f"SELECT * FROM t LIMIT {int(body['limit'])}")
    os.system("echo " + shlex.quote(body["text"]))
    open("/tmp/" + os.path.basename(body["file"]))
    if not re.fullmatch("[a-z]+", body["word"]):
        return {}
    os.system("grep " + body["word"])
    if body["order"] not in ("asc", "desc"):
        raise ValueError
    db.execute("SELECT * FROM t ORDER BY id " + body["order"])
    requests.get("https://api.example.com/users/" + body["user"])
    requests.get(f"{os.environ['API']}/users/{body['user']}")
    if urlparse(body["url"]).hostname in ALLOWED:
        requests.get(body["url"])
    path = os.path.realpath(os.path.join("/tmp/files", body["path"]))
    if not path.startswith("/tmp/files/"):
        raise ValueError
    open(path)
    uuid.UUID(body["ticket"])
    os.system("print " + body["ticket"])
    name = re.sub(r"[^a-z0-9]", "", body["name"])
    os.system("print " + name)
    return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": "<p>" + html.escape(body["name"])}
"#;
    assert_eq!(python_flows(python), Vec::<String>::new());
    let javascript = r#"
import { execFile } from "child_process";
import fs from "fs";
import path from "path";
import mysql from "mysql2/promise";
const sorts = new Map([["a", 1]]);
const allowed = ["asc", "desc"];
export const handler = async (event) => {
  const query = event.queryStringParameters;
  const db = await mysql.createConnection({ host: process.env.DB });
  await db.execute("SELECT * FROM t WHERE id = ?", [query.id]);
  await db.query(`SELECT * FROM t LIMIT ${parseInt(query.limit, 10)}`);
  fs.readFileSync(path.join("/tmp", path.basename(query.file)));
  if (!/^[a-z]+$/.test(query.word)) return {};
  await db.query("SELECT " + query.word);
  if (!allowed.includes(query.order)) throw new Error("no");
  await db.query("SELECT * FROM t ORDER BY " + query.order);
  await fetch("https://api.example.com/" + query.user);
  await fetch(`https://api.example.com/x?u=${encodeURIComponent(query.user)}`);
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: `{"a": "${query.user}"}` };
};
"#;
    assert_eq!(javascript_flows(javascript), Vec::<String>::new());
}

#[test]
fn routes_of_frameworks_get_the_request() {
    let text = r#"import os
from flask import Flask, request
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
app = APIGatewayHttpResolver()
@app.get("/files/<name>")
def file(name):
    return open("/tmp/" + name).read()
@app.get("/pages/<int:page>")
def page(page):
    return open(f"/tmp/{page}").read()
@app.post("/run")
def run():
    os.system("run " + app.current_event.get_query_string_value(name="what", default_value=""))
    os.system("run " + request.args["how"])
def handler(event, context):
    return app.resolve(event, context)
"#;
    assert_eq!(
        python_flows(text),
        [
            "PathRead from pathParameters.name: 7 becomes part of a longer text, 7",
            "Shell from queryStringParameters.what: 13 comes in here, 13 becomes part of a longer text, 13",
            "Shell from queryStringParameters.how: 14 comes in here, 14 becomes part of a longer text, 14",
        ]
    );
    let text = r#"import express from "express";
import serverless from "serverless-http";
import { exec } from "child_process";
const app = express();
app.get("/list", (req, res) => {
  list(req.query.folder);
  res.send(`<p>${req.query.folder}</p>`);
});
const list = (folder) => exec("ls " + folder);
export const handler = serverless(app);
"#;
    assert_eq!(
        javascript_flows(text),
        [
            "Html from queryStringParameters.folder: 6 comes in here, 7 becomes part of a longer text, 7",
            "Shell from queryStringParameters.folder: 6 comes in here, 9 becomes part of a longer text, 9",
        ]
    );
}

#[test]
fn a_page_put_together_in_steps_is_one() {
    let text = r#"def handler(event, context):
    page = "<p>{}</p>".format(event["queryStringParameters"]["q"])
    answer = {"statusCode": 200, "body": page}
    answer["headers"] = {"Content-Type": "text/html"}
    return answer
"#;
    assert_eq!(python_flows(text), ["Html from queryStringParameters.q: 2 comes in here, 2"]);
}

#[test]
fn many_lines_of_the_log_hide_no_command() {
    let lines: String = (0..1_000).map(|n| format!("    print('got ' + event['field{n}'])\n")).collect();
    let text = format!("import os\ndef handler(event, context):\n{lines}    os.system(event['command'])\n");
    let found = python_flows(&text);
    assert_eq!(found.last().map(String::as_str), Some("Shell from command: 1003 comes in here, 1003"));
    assert!(found.len() < 300, "{}", found.len());
}

#[test]
fn text_that_a_route_returns_is_a_page_where_the_framework_says_so() {
    let text = |framework: &str| {
        format!(
            r#"from markupsafe import escape
{framework}
@app.route("/hello/<name>")
def hello(name):
    return "hello %s" % name
@app.route("/safe/<name>")
def safe(name):
    return "hello %s" % escape(name), 200
"#
        )
    };
    let flask = text(
        "import serverless_wsgi\nfrom flask import Flask\napp = Flask(__name__)\ndef handler(event, context):\n    return serverless_wsgi.handle_request(app, event, context)",
    );
    assert_eq!(python_flows(&flask), ["Html from pathParameters.name: 9 becomes part of a longer text, 9"]);
    let powertools = text(
        "from aws_lambda_powertools.event_handler import APIGatewayHttpResolver\napp = APIGatewayHttpResolver()\ndef handler(event, context):\n    return app.resolve(event, context)",
    );
    assert_eq!(python_flows(&powertools), Vec::<String>::new());
}

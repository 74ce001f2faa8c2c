//! Habits that weaken code by themselves.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{javascript, python};

fn practices(behaviour: &graph::Behaviour, text: &str) -> Vec<String> {
    let line = |span: source::Span| text[..span.start as usize].matches('\n').count() + 1;
    behaviour.practices.iter().map(|practice| format!("{} {:?}", line(practice.span), practice.kind)).collect()
}

#[test]
fn python_habits() {
    let text = r#"import hashlib, json, random, secrets, ssl, traceback, jwt, requests
def handler(event, context):
    try:
        requests.get("https://api.example.com", verify=False)
        requests.get("https://api.example.com", verify="/opt/ca.pem")
        claims = jwt.decode(event["headers"]["authorization"], options={"verify_signature": False})
        etag = hashlib.md5(b"", usedforsecurity=False)
        stored = hashlib.sha1(event["body"].encode()).hexdigest()
        reset_token = "".join(random.choice("abc") for _ in range(8))
        good_token = secrets.token_urlsafe()
        color = random.choice(["red", "blue"])
        return {"statusCode": 200, "body": stored}
    except Exception:
        trace = traceback.format_exc()
        return {"statusCode": 500, "body": json.dumps({"error": trace})}
"#;
    assert_eq!(
        practices(&python(text), text),
        ["4 UnverifiedTls", "6 UnverifiedToken", "8 WeakHash", "9 WeakRandomness", "15 StackTrace"]
    );
}

#[test]
fn javascript_habits() {
    let text = r#"import https from "https";
import crypto from "crypto";
const agent = new https.Agent({ rejectUnauthorized: false });
export const handler = async (event) => {
  try {
    const [, claims] = event.headers.Authorization.split(".");
    const user = JSON.parse(Buffer.from(claims, "base64").toString());
    const otp = Math.floor(Math.random() * 1000000);
    const delay = Math.random() * 100;
    return { statusCode: 200, body: crypto.createHash("sha256").update(user.name).digest("hex") };
  } catch (error) {
    return { statusCode: 500, body: JSON.stringify({ error: error.stack }) };
  }
};
"#;
    assert_eq!(
        practices(&javascript(text), text),
        ["3 UnverifiedTls", "7 UnverifiedToken", "8 WeakRandomness", "12 StackTrace"]
    );
}

#[test]
fn a_token_that_is_verified_may_be_looked_at_before() {
    let text = r#"
import jwt from "jsonwebtoken";
export const handler = async (event) => {
  const { header } = jwt.decode(event.headers.authorization, { complete: true });
  return jwt.verify(event.headers.authorization, process.env[header.kid]);
};
"#;
    assert_eq!(practices(&javascript(text), text), Vec::<String>::new());
}

#[test]
fn what_a_store_gives_back_was_written_by_somebody() {
    let text = r#"import json, pickle, boto3, jsonpickle
table = boto3.resource("dynamodb").Table("orders")
model = pickle.load(open("model.pkl", "rb"))
def handler(event, context):
    item = table.get_item(Key={"id": event["id"]})["Item"]
    return jsonpickle.decode(json.dumps(item))
"#;
    assert_eq!(practices(&python(text), text), ["6 StoredDeserialization"]);
}

#[test]
fn a_helper_that_makes_answers_is_told_where_it_is_called() {
    let text = r#"import json, traceback
def answer(status, body):
    return {"statusCode": status, "body": json.dumps(body)}
def handler(event, context):
    try:
        return answer(200, {"done": True})
    except KeyError:
        return answer(400, traceback.format_exc())
    except ValueError:
        return answer(400, traceback.format_exc())
"#;
    assert_eq!(practices(&python(text), text), ["8 StackTrace", "10 StackTrace"]);
    // One that is given an error chooses what it tells.
    let text = r#"
def failed(error):
    return {"statusCode": 500, "body": str(error)}
def handler(event, context):
    try:
        run()
    except Exception as error:
        return failed(error)
"#;
    assert_eq!(practices(&python(text), text), ["3 ErrorText"]);
}

#[test]
fn errors_in_what_a_route_returns_are_told_there() {
    let text = r#"import serverless_wsgi
from flask import Flask
app = Flask(__name__)
@app.route("/load", methods=["POST"])
def load():
    try:
        run()
        return "done", 200
    except Exception as e:
        return f"it failed: {e}", 500
def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
"#;
    assert_eq!(practices(&python(text), text), ["10 ErrorText"]);
}

#[test]
fn what_another_route_looked_at_is_not_checked_here() {
    let text = r#"import boto3, json
table = boto3.resource("dynamodb").Table("users")
def handler(event, context):
    data = json.loads(event["body"])
    if event["path"] == "/open":
        item = table.get_item(Key={"id": data["id"]})["Item"]
        return {"statusCode": 200, "body": "yes" if item["status"] == "open" else "no"}
    if event["path"] == "/rename":
        table.update_item(Key={"id": data["id"]}, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": data["n"]})
    elif event["path"] == "/redeem":
        item = table.get_item(Key={"id": data["id"]})["Item"]
        if item["status"] != "open":
            return {"statusCode": 409}
        table.update_item(Key={"id": data["id"]}, UpdateExpression="SET s = :s", ExpressionAttributeValues={":s": "redeemed"})
    return {"statusCode": 204}
"#;
    assert_eq!(practices(&python(text), text), ["14 CheckThenWrite"]);
}

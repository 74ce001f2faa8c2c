//! Hosts, programs and files.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use code::Language;
use support::{calls, clean, hosts, javascript, processes, python, read, writes};

#[test]
fn python_hosts_come_out_of_urls_constants_and_the_environment() {
    let behaviour = python(
        r#"
import os, http.client, smtplib, socket, urllib.request
import requests, urllib3, psycopg2
API = "https://API.example.com/v1"
http_pool = urllib3.PoolManager()

def handler(event, context):
    requests.post(f"{API}/orders/{event['id']}")
    requests.Session().get(os.environ["STATUS_URL"] + "/health")
    http_pool.request("GET", "http://10.0.0.7:8080/metrics")
    urllib.request.urlopen(urllib.request.Request(event["logo"]))
    http.client.HTTPSConnection("mirror.example.org").request("GET", "/")
    smtplib.SMTP("mail.example.com", 587)
    socket.create_connection(("203.0.113.9", 4444))
    psycopg2.connect(host=os.environ["DB_HOST"], user="u")
    requests.get("https://%s.example.net/x" % event["tenant"])
"#,
    );
    assert_eq!(
        hosts(&behaviour),
        [
            "$DB_HOST:5432",
            "$STATUS_URL:443",
            "10.0.0.7:8080",
            "203.0.113.9:4444",
            "api.example.com:443",
            "mail.example.com:587",
            "mirror.example.org:443",
            "the event:443"
        ]
    );
}

#[test]
fn javascript_hosts_come_out_of_every_client() {
    let behaviour = javascript(
        r#"
import axios from "axios";
import https from "node:https";
import net from "net";
import mysql from "mysql2/promise";
const shop = axios.create({ baseURL: "https://shop.example.com/api" });

export const handler = async (event) => {
  await fetch(`https://rates.example.com/${event.currency}`);
  await shop.get("/stock");
  https.request({ hostname: "hooks.example.com", port: 8443, path: "/x" }, () => {}).end();
  net.connect(6000, "203.0.113.5");
  await mysql.createConnection({ host: process.env.DB, user: "u" });
  await axios({ url: event.callback, method: "post" });
};
"#,
    );
    assert_eq!(
        hosts(&behaviour),
        [
            "$DB:3306",
            "203.0.113.5:6000",
            "hooks.example.com:8443",
            "rates.example.com:443",
            "shop.example.com:443",
            "the event:443"
        ]
    );
}

#[test]
fn programs_are_told_with_their_shell() {
    let behaviour = python(
        r#"
import os, subprocess
def handler(event, context):
    subprocess.run(["/usr/bin/convert", event["a"]])
    subprocess.check_output("LANG=C wc -l " + event["file"], shell=True)
    os.system(event["command"])
"#,
    );
    assert_eq!(processes(&behaviour), ["/usr/bin/convert", "wc in a shell", "? in a shell"]);
    let behaviour = javascript(
        r#"
import { execSync, spawn } from "child_process";
export const handler = (event) => { execSync(`curl ${event.url}`); spawn("ffmpeg", ["-i", "x"]); };
"#,
    );
    assert_eq!(processes(&behaviour), ["curl in a shell", "ffmpeg"]);
}

#[test]
fn writes_are_told_as_far_as_their_path_is_literal() {
    let behaviour = python(
        r#"
import os, boto3, tempfile
from pathlib import Path
OUT = "/tmp/out"
def handler(event, context):
    open("/tmp/read-only.txt").read()
    with open(os.path.join(OUT, event["name"]), "w") as file:
        file.write("x")
    (Path("/tmp") / "a.json").write_text("{}")
    boto3.client("s3").download_file("b", "k", "/tmp/" + event["name"])
    tempfile.NamedTemporaryFile()
"#,
    );
    assert_eq!(writes(&behaviour), ["/tmp/out/", "/tmp/a.json", "/tmp/", "/tmp"]);
    let behaviour = javascript(
        r#"
import fs from "fs";
import { writeFile } from "fs/promises";
export const handler = async (event) => {
  fs.writeFileSync("/tmp/a.txt", "x");
  await writeFile(`/tmp/${event.name}`, "x");
  fs.readFileSync("/etc/hosts");
};
"#,
    );
    assert_eq!(writes(&behaviour), ["/tmp/a.txt", "/tmp/"]);
}

#[test]
fn packages_installed_beside_the_code_are_libraries_and_own_ones_are_followed() {
    let app = "import boto3, vendor, shop.store
def handler(event, context):
    vendor.use()
    shop.store.get(boto3.client('s3'))
";
    let files = [
        ("app.py", app),
        ("boto3/__init__.py", "def client(name):\n    return None\n"),
        ("vendor/__init__.py", "import boto3\ndef use():\n    boto3.client('sqs').delete_queue(QueueUrl='never')\n"),
        ("vendor-1.0.dist-info/RECORD", ""),
        ("shop/__init__.py", ""),
        ("shop/store.py", "def get(client):\n    client.get_object(Bucket='b', Key='k')\n"),
    ];
    let (reading, _) = read(&files, "app.handler", Language::Python);
    let behaviour = clean(reading);
    assert_eq!(calls(&behaviour), ["s3.GetObject on b"]);
    assert!(behaviour.imports.contains(&"vendor".to_string()), "{:?}", behaviour.imports);
}

import os
import pickle
import re

import awsgi
from flask import Flask, jsonify, make_response, redirect, render_template, render_template_string, request, send_file

app = Flask(__name__)
WORD = re.compile(r"[a-z]{1,20}")
HISTORY = {}


@app.route("/hello")
def hello():
    name = request.args.get("name", "you")
    return render_template("hello.html", name=name)


@app.route("/greet")
def greet():
    return render_template_string("Hello " + request.args["name"])  # weak: template-injection


@app.route("/go")
def go():
    if request.args["to"] in ("/home", "/help"):
        return redirect(request.args["to"])
    return redirect(request.args["next"])  # weak: open-redirect


@app.route("/attachment/<name>")
def attachment(name):
    if not WORD.fullmatch(name):
        return "", 404
    return send_file(os.path.join("/opt/attachments", name))


@app.route("/raw")
def raw():
    return send_file("/opt/attachments/" + request.args["file"])  # weak: path-traversal


@app.route("/state", methods=["POST"])
def state():
    saved = pickle.loads(request.get_data())  # weak: unsafe-deserialization
    HISTORY[request.remote_addr] = saved
    return jsonify(ok=True)


@app.route("/login", methods=["POST"])
def login():
    response = make_response(jsonify(ok=True))
    return response


def handler(event, context):
    return awsgi.response(app, event, context)

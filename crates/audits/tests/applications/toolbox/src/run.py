import ast
import asyncio
import importlib
import json
import shlex
import subprocess

import paramiko

PLUGINS = {"resize": "plugins.resize", "crop": "plugins.crop"}


async def start(line):
    process = await asyncio.create_subprocess_shell(line, stdout=asyncio.subprocess.PIPE)  # weak: shell-injection
    return await process.communicate()


def remote(host_command):
    client = paramiko.SSHClient()
    client.connect("build.internal", username="app")
    client.exec_command(host_command)  # weak: shell-injection


def handler(event, context):
    body = json.loads(event["body"])
    numbers = ast.literal_eval(body["numbers"])
    known = importlib.import_module(PLUGINS[body["plugin"]])
    loaded = importlib.import_module(body["module"])  # weak: code-injection
    exec(body["setup"])  # weak: code-injection
    subprocess.run(f"echo {shlex.quote(body['text'])}", shell=True)
    subprocess.Popen(["git", "clone", "--", body["repository"], "/tmp/clone"], shell=False)
    subprocess.run("ls -l /opt | wc -l", shell=True)
    asyncio.run(start("convert " + body["file"]))
    remote("systemctl restart " + body["service"])
    return {"statusCode": 200, "body": json.dumps([numbers, str(known), str(loaded)])}

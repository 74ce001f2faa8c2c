import os
import subprocess

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from clinic.records import PatientRecords
from clinic.files import Files

logger = Logger()
app = APIGatewayHttpResolver()
records = PatientRecords(os.environ["PATIENTS"])
files = Files(os.environ["FILES"])


@app.get("/patients/<patient_id>")
def patient(patient_id):
    return records.load(patient_id)


@app.post("/patients")
def create():
    fields = app.current_event.json_body
    logger.info("creating", extra={"ssn": fields["ssn"]})  # weak: sensitive-data-in-log
    return records.create(fields["name"], fields["ssn"])


@app.get("/files/<name>")
def download(name):
    return {"url": files.link(name)}


@app.get("/scan/<host>")
def scan(host):
    output = subprocess.check_output("dig +short " + host, shell=True)  # weak: shell-injection
    count = subprocess.check_output(["wc", "-l", "/tmp/hosts"])
    return {"output": output.decode(), "count": count.decode()}


@logger.inject_lambda_context
def handler(event, context):
    return app.resolve(event, context)

import smtplib
from email.mime.text import MIMEText

import jinja2
import requests

TEMPLATES = {"visit": "Dear {{ name }}, see you on {{ day }}.", "bill": "Dear {{ name }}, you owe {{ total }}."}
PLAIN = jinja2.Environment(autoescape=True)


def wording(kind):
    return TEMPLATES[kind]


def lambda_handler(event, context):
    detail = event["detail"]
    letter = PLAIN.from_string(wording(detail["kind"])).render(name=detail["name"], day=detail["day"])
    own = jinja2.Template(detail["wording"]).render(name=detail["name"])  # weak: template-injection
    hook = detail.get("hook")
    if hook and hook.startswith("https://hooks.clinic.example/"):
        requests.post(hook, json={"text": letter}, timeout=3)
    requests.post(detail["callback"], json={"text": own}, timeout=3)  # weak: server-side-request-forgery
    message = MIMEText(letter)
    with smtplib.SMTP("mail.clinic.example") as server:
        server.sendmail("office@clinic.example", ["archive@clinic.example"], message.as_string())

import os
import subprocess
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel

api = FastAPI()


class Job(BaseModel):
    name: str
    size: int


def current_user():
    return {"id": "me"}


@api.get("/logs/{name}")
def logs(name: str):
    with open("/var/log/" + name) as file:  # weak: path-traversal
        return file.read()


@api.post("/jobs")
def start(job: Job, user=Depends(current_user)):
    subprocess.run(["start-job", "--name", job.name], check=True)
    subprocess.run("start-job " + job.name, shell=True, check=True)  # weak: shell-injection
    return {"by": user}


@api.get("/search")
def search(q: str, limit: int = 10):
    if len(q) > 100:
        raise HTTPException(status_code=400, detail="too long")
    return {"found": [q for _ in range(min(limit, 10))], "stage": os.environ["STAGE"]}


app = Mangum(api)

"""The order list by dlt's REST source, written as its documentation shows it.

    with_dlt.py URL FOLDER [LAG_SECONDS]      one poll; appends the ids it got to FOLDER/got.txt
    with_dlt.py URL FOLDER write FILE         sends the ids of FILE to /documents through a dlt destination
"""

import json
import os
import sys

url, folder, *rest = sys.argv[1:]
os.environ["DLT_DATA_DIR"] = os.path.join(folder, "dlt")
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.sources.helpers import requests
from dlt.sources.rest_api import rest_api_source

START = 1_772_409_600_000


def token():
    answer = requests.post(f"{url}/login", json={"user": "trial", "password": "trial"})
    return answer.json()["token"]


def poll(lag):
    incremental = {"cursor_path": "updated_at", "initial_value": START}
    if lag:
        incremental["lag"] = lag * 1000
    source = rest_api_source(
        {
            "client": {"base_url": url, "headers": {"token": token()}},
            "resources": [
                {
                    "name": "orders",
                    "write_disposition": "append",
                    "endpoint": {
                        "path": "orders",
                        "params": {"size": 10, "start": "{incremental.start_value}"},
                        "incremental": incremental,
                        "data_selector": "data.list",
                        "paginator": {"type": "page_number", "base_page": 1, "total_path": None, "page_param": "page"},
                    },
                }
            ],
        },
        name="erp",
    )

    @dlt.destination(batch_size=100, loader_file_format="typed-jsonl")
    def keep(items, table):
        with open(os.path.join(folder, "got.txt"), "a") as out:
            out.writelines(f"{item['id']}\n" for item in items)

    pipeline = dlt.pipeline("erp", destination=keep, pipelines_dir=os.path.join(folder, "pipelines"))
    pipeline.run(source)


def write(path):
    with open(path) as lines:
        ids = [line.strip() for line in lines]

    @dlt.resource(name="documents")
    def documents():
        yield from ({"key": key, "amount": "1.00"} for key in ids)

    @dlt.destination(batch_size=1)
    def post(items, table):
        for item in items:
            answer = requests.post(
                f"{url}/documents", json={"key": item["key"], "amount": item["amount"]}, headers={"token": token()}
            )
            answer.raise_for_status()

    pipeline = dlt.pipeline("documents", destination=post, pipelines_dir=os.path.join(folder, "pipelines"))
    pipeline.run(documents())


if rest and rest[0] == "write":
    write(rest[1])
else:
    poll(int(rest[0]) if rest else 0)

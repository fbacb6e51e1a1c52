"""The order list by a declarative connector of airbyte-cdk, written as its documentation shows it.

    with_airbyte.py URL FOLDER [LOOKBACK_SECONDS]   one sync; appends the ids it got to FOLDER/got.txt, keeps the state
    with_airbyte.py URL FOLDER write FILE           sends the ids of FILE to /documents through the CDK's HTTP client
"""

import json
import logging
import os
import sys
from pathlib import Path

logging.disable(logging.CRITICAL)

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.http.http_client import HttpClient

url, folder, *rest = sys.argv[1:]
folder = Path(folder)


def manifest(lookback):
    cursor = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "updated_at",
        "datetime_format": "%ms",
        "cursor_granularity": "PT0.001S",
        "start_datetime": {"type": "MinMaxDatetime", "datetime": "1772409600000", "datetime_format": "%ms"},
        "end_datetime": {"type": "MinMaxDatetime", "datetime": os.environ["TRIAL_NOW"], "datetime_format": "%ms"},
        "step": "PT10M",
        "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "start"},
        "end_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "end"},
    }
    if lookback:
        cursor["lookback_window"] = f"PT{lookback}S"
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["orders"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "orders",
                "primary_key": ["id"],
                "schema_loader": {
                    "type": "InlineSchemaLoader",
                    "schema": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "string"},
                            "updated_at": {"type": "integer"},
                            "amount": {"type": "string"},
                        },
                    },
                },
                "retriever": {
                    "type": "SimpleRetriever",
                    "requester": {
                        "type": "HttpRequester",
                        "url_base": url,
                        "path": "/orders",
                        "http_method": "GET",
                        "authenticator": {
                            "type": "SessionTokenAuthenticator",
                            "login_requester": {
                                "type": "HttpRequester",
                                "url_base": url,
                                "path": "/login",
                                "http_method": "POST",
                                "request_body_json": {"user": "trial", "password": "trial"},
                            },
                            "session_token_path": ["token"],
                            "expiration_duration": "PT30M",
                            "request_authentication": {
                                "type": "ApiKey",
                                "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "token"},
                            },
                        },
                    },
                    "record_selector": {
                        "type": "RecordSelector",
                        "extractor": {"type": "DpathExtractor", "field_path": ["data", "list"]},
                    },
                    "paginator": {
                        "type": "DefaultPaginator",
                        "page_token_option": {
                            "type": "RequestOption",
                            "inject_into": "request_parameter",
                            "field_name": "page",
                        },
                        "page_size_option": {
                            "type": "RequestOption",
                            "inject_into": "request_parameter",
                            "field_name": "size",
                        },
                        "pagination_strategy": {
                            "type": "PageIncrement",
                            "start_from_page": 1,
                            "page_size": 10,
                            "inject_on_first_request": True,
                        },
                    },
                },
                "incremental_sync": cursor,
            }
        ],
    }


def sync(lookback):
    kept = folder / "state.json"
    state = None
    if kept.exists():
        state = [AirbyteStateMessageSerializer.load(json.loads(kept.read_text()))]
    probe = ConcurrentDeclarativeSource(source_config=manifest(lookback), config={}, catalog=None, state=None)
    stream = probe.discover(logging.getLogger("airbyte"), {}).streams[0]
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream, sync_mode=SyncMode.incremental, destination_sync_mode=DestinationSyncMode.append
            )
        ]
    )
    source = ConcurrentDeclarativeSource(source_config=manifest(lookback), config={}, catalog=catalog, state=state)
    with open(folder / "got.txt", "a") as out:
        for message in source.read(logging.getLogger("airbyte"), {}, catalog, state):
            if message.type == Type.RECORD:
                out.write(f"{message.record.data['id']}\n")
            elif message.type == Type.STATE:
                kept.write_text(json.dumps(AirbyteStateMessageSerializer.dump(message.state)))


def write(path):
    client = HttpClient("documents", logging.getLogger("airbyte"))
    _, answer = client.send_request("POST", f"{url}/login", json={}, request_kwargs={})
    headers = {"token": answer.json()["token"]}
    for line in open(path):
        client.send_request(
            "POST",
            f"{url}/documents",
            headers=headers,
            json={"key": line.strip(), "amount": "1.00"},
            request_kwargs={},
        )


if rest and rest[0] == "write":
    write(rest[1])
else:
    sync(int(rest[0]) if rest else 0)

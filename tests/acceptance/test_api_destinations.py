"""API destinations: events become requests of somebody's HTTP server, authorized by a connection."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually


class Receiver:
    """An HTTP server that remembers its requests, and gives tokens at /token."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.command, self.path, dict(self.headers.items()), body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"access_token": "t0ken", "expires_in": 3600}')

            do_PUT = do_POST  # noqa: N815 - by this name it is called

            def log_message(self, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, path: str) -> list[bytes]:
        return [body for _, at, _, body in self.requests if at.startswith(path)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def send(lambent: Lambent, connection: str, endpoint: str, **target: Any) -> None:
    """An event to a new destination that uses this connection."""
    events, name = lambent.client("events"), lambent.new_name("d")
    destination = events.create_api_destination(
        Name=name, ConnectionArn=connection, InvocationEndpoint=endpoint, HttpMethod="PUT"
    )
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_rule(Name="r", EventBusName=bus, EventPattern='{"source": ["orders"]}')
    arn = destination["ApiDestinationArn"]
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "d", "Arn": arn, **target}])
    detail = json.dumps({"number": 7})
    events.put_events(
        Entries=[{"Source": "orders", "DetailType": "t", "Detail": detail, "EventBusName": bus}]
    )


def test_an_event_is_sent_with_the_keys_and_parameters_of_its_connection(
    lambent: Lambent, receiver: Receiver
) -> None:
    events, name = lambent.client("events"), lambent.new_name("c")
    created = events.create_connection(
        Name=name,
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"},
            "InvocationHttpParameters": {
                "HeaderParameters": [{"Key": "x-team", "Value": "blue", "IsValueSecret": True}],
                "QueryStringParameters": [{"Key": "q", "Value": "a b"}],
                "BodyParameters": [{"Key": "from", "Value": "lambent"}],
            },
        },
    )
    assert created["ConnectionState"] == "AUTHORIZED"
    described = events.describe_connection(Name=name)
    assert described["AuthParameters"]["ApiKeyAuthParameters"] == {"ApiKeyName": "X-Key"}
    assert described["AuthParameters"]["InvocationHttpParameters"]["HeaderParameters"] == [
        {"Key": "x-team", "IsValueSecret": True}
    ]
    receiver.answers = [503]
    send(
        lambent,
        created["ConnectionArn"],
        f"{receiver.url}/*/*/new",
        InputPath="$.detail",
        HttpParameters={
            "PathParameterValues": ["$.source", "eu"],
            "HeaderParameters": {"X-Team": "red", "X-Own": "$.detail.number"},
        },
    )
    eventually(lambda: len(receiver.requests) == 2, seconds=20)
    assert receiver.requests[0] == receiver.requests[1], "tried again after a 503"
    method, path, headers, body = receiver.requests[1]
    assert (method, path) == ("PUT", "/orders/eu/new?q=a+b")
    assert json.loads(body) == {"number": 7, "from": "lambent"}
    assert headers["X-Key"] == "s3cret"
    assert (headers["x-team"], headers["X-Own"]) == ("blue", "7")
    assert headers["User-Agent"] == "Amazon/EventBridge/ApiDestinations"
    stored = (lambent.data_dir / "lambent.db").read_bytes() + (
        lambent.data_dir / "lambent.db-wal"
    ).read_bytes()
    assert b"s3cret" not in stored


def test_a_token_is_fetched_with_the_clients_credentials(lambent: Lambent, receiver: Receiver) -> None:
    events, name = lambent.client("events"), lambent.new_name("c")
    created = events.create_connection(
        Name=name,
        AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
        AuthParameters={
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "me", "ClientSecret": "hush"},
                "AuthorizationEndpoint": f"{receiver.url}/token",
                "HttpMethod": "POST",
                "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all"}]},
            }
        },
    )
    assert created["ConnectionState"] == "AUTHORIZING"
    eventually(lambda: events.describe_connection(Name=name)["ConnectionState"] == "AUTHORIZED")
    (form,) = receiver.bodies("/token")
    assert parse_qs(form.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["hush"],
        "scope": ["all"],
    }
    send(lambent, created["ConnectionArn"], f"{receiver.url}/hook")
    eventually(lambda: receiver.bodies("/hook"))
    assert receiver.requests[-1][2]["Authorization"] == "Bearer t0ken"
    assert len(receiver.bodies("/token")) == 1


def test_what_is_not_there_is_said_in_awss_words(lambent: Lambent) -> None:
    events = lambent.client("events")
    with pytest.raises(
        ClientError, match=r"Failed to describe the connection\(s\)\. Connection 'n' does not"
    ):
        events.describe_connection(Name="n")
    with pytest.raises(
        ClientError,
        match=r"Failed to describe the api-destination\(s\)\. An api-destination 'n' does not exist",
    ):
        events.describe_api_destination(Name="n")
    name = lambent.new_name("c")
    basic = {"BasicAuthParameters": {"Username": "u", "Password": "p"}}
    events.create_connection(Name=name, AuthorizationType="BASIC", AuthParameters=basic)
    with pytest.raises(ClientError, match=f"Connection {name} already exists"):
        events.create_connection(Name=name, AuthorizationType="BASIC", AuthParameters=basic)
    assert events.delete_connection(Name=name)["ConnectionState"] == "DELETING"
    assert events.list_connections(NamePrefix=name)["Connections"] == []

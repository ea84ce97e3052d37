"""What may be asked of the Telemetry API and the Logs API, and what is refused in which words."""

import json

import pytest

from lambent.environments.subscriptions import Destination, RefusedError, read_subscription

HTTP = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/events?a=b"}


def asked(api="Telemetry", **changes):
    schema = "2022-12-13" if api == "Telemetry" else "2021-03-18"
    wanted = {"schemaVersion": schema, "types": ["platform", "function"], "destination": HTTP} | changes
    return json.dumps({name: value for name, value in wanted.items() if value is not None}).encode()


def test_what_is_not_said_has_the_defaults_of_each_api():
    telemetry = read_subscription(asked(), "Telemetry")
    assert (telemetry.schema, telemetry.types) == ("2022-12-13", ("platform", "function"))
    assert (telemetry.max_items, telemetry.max_bytes, telemetry.timeout_ms) == (1_000, 262_144, 1_000)
    assert telemetry.destination == Destination(
        protocol="HTTP", port=8080, method="POST", host="sandbox.localdomain:8080", target="/events?a=b"
    )
    logs = read_subscription(asked("Logs", schemaVersion=None), "Logs")
    assert (logs.schema, logs.max_items) == ("2020-08-15", 10_000)


def test_what_is_said_is_taken():
    buffering = {"maxItems": 10_000, "maxBytes": 1_048_576, "timeoutMs": 25}
    wanted = read_subscription(
        asked(buffering=buffering, destination={"protocol": "TCP", "port": 9999}), "Telemetry"
    )
    assert (wanted.max_items, wanted.max_bytes, wanted.timeout_ms) == (10_000, 1_048_576, 25)
    assert wanted.destination == Destination(protocol="TCP", port=9999)
    put = read_subscription(asked(destination={**HTTP, "method": "PUT"}), "Telemetry")
    assert put.destination.method == "PUT"
    named_short = read_subscription(
        asked(destination={"protocol": "HTTP", "URI": "http://sandbox:53612"}), "Telemetry"
    )
    assert (named_short.destination.host, named_short.destination.target) == ("sandbox:53612", "/")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"types": None}, "DeserializationError", "missing field `types`"),
        ({"types": []}, "ValidationError", "types should not be empty"),
        ({"types": ["function", "function"]}, "ValidationError", "types should be unique"),
        (
            {"types": ["metrics"]},
            "DeserializationError",
            "unknown variant `metrics`, expected one of `platform`, `function`, `extension`",
        ),
        ({"destination": None}, "DeserializationError", "missing field `destination`"),
        (
            {"destination": {"protocol": "UDP"}},
            "DeserializationError",
            "unknown variant `UDP`, expected `HTTP` or `TCP`",
        ),
        ({"destination": {"protocol": "HTTP"}}, "DeserializationError", "missing field `URI`"),
        ({"destination": {"protocol": "TCP"}}, "DeserializationError", "missing field `port`"),
        ({"destination": {**HTTP, "URI": "http://sandbox"}}, "ValidationError", "URI port is not provided"),
        (
            {"destination": {**HTTP, "URI": "http://sandbox:9001"}},
            "ValidationError",
            "port 9001 is reserved",
        ),
        (
            {"destination": {**HTTP, "URI": "https://sandbox:1"}},
            "AccessDenied",
            "Only 'http' scheme is supported.",
        ),
        (
            {"destination": {**HTTP, "URI": "http://169.254.169.254:80"}},
            "AccessDenied",
            "Only 'sandbox.localdomain' hostname is supported.",
        ),
        ({"buffering": {"timeoutMs": 24}}, "ValidationError", "timeoutMs should be between 25 and 30000"),
        (
            {"buffering": {"maxItems": 999}},
            "ValidationError",
            "maxItems should be between 1000 and 10000",
        ),
        (
            {"buffering": {"maxBytes": 1}},
            "ValidationError",
            "maxBytes should be between 262144 and 1048576",
        ),
        (
            {"buffering": {"maxBytes": "many"}},
            "DeserializationError",
            "invalid type for `maxBytes`, expected u64",
        ),
        (
            {"schemaVersion": None},
            "ValidationError",
            "TelemetryAPI only supports the SchemaVersion released after 2021-03-18",
        ),
    ],
)
def test_what_is_refused(changes, code, message):
    with pytest.raises(RefusedError) as refused:
        read_subscription(asked(**changes), "Telemetry")
    assert (refused.value.code, str(refused.value)) == (code, message)
    assert refused.value.status == (403 if code == "AccessDenied" else 400)


def test_a_schema_of_the_other_api_is_refused():
    with pytest.raises(
        RefusedError, match="LogsAPI only supports the following SchemaVersion: 2020-08-15, 2021-03-18"
    ):
        read_subscription(asked("Logs", schemaVersion="2022-12-13"), "Logs")


def test_a_body_that_is_no_object_is_refused():
    for body in (b"", b"[]", b"{"):
        with pytest.raises(RefusedError) as refused:
            read_subscription(body, "Telemetry")
        assert refused.value.code == "DeserializationError"

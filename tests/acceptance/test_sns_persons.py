"""Email and text messages: what subscribers and the servers of an operator see of them."""

import json
import socketserver
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as a sender needs; keeps what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 here")
                recipient = ""
                for line in iter(self.line, ""):
                    command = line.upper()
                    if command.startswith("RCPT TO:"):
                        recipient = line[8:].split(">")[0].strip("< ")
                    if command == "DATA":
                        self.say("354 go on")
                        server.received.append((recipient, "\n".join(iter(self.line, "."))))
                    if command == "QUIT":
                        return self.say("221 bye")
                    self.say("250 ok")
                return None

            def line(self) -> str:
                return self.rfile.readline().decode().rstrip("\r\n")

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        super().__init__(("127.0.0.1", 0), Handler)


class Gateway(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                return None

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def outside() -> Iterator[tuple[MailServer, Gateway]]:
    with ExitStack() as stack:
        servers = MailServer(), Gateway()
        for server in servers:
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            stack.callback(serving.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        yield servers


def test_email_is_confirmed_by_its_link_and_texts_go_to_the_gateway(
    new_server: NewServer, outside: tuple[MailServer, Gateway]
) -> None:
    mail, gateway = outside
    server = new_server(
        *("--smtp-server", f"smtp://127.0.0.1:{mail.server_address[1]}", "--email-sender", "sns@example.org"),
        *("--sms-gateway", f"http://127.0.0.1:{gateway.server_port}/send"),
    )
    sns = server.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.set_sms_attributes(attributes={"DefaultSenderID": "Lambent"})
    subscribed = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="who@example.org")
    assert subscribed["SubscriptionArn"] == "pending confirmation"
    recipient, text = eventually(lambda: mail.received[:1])[0]
    message = message_from_string(text)
    assert (recipient, message["To"], message["From"]) == (
        "who@example.org",
        "who@example.org",
        "AWS Notifications <sns@example.org>",
    )
    link = next(line for line in str(message.get_payload(decode=True), "utf-8").split() if "Token=" in line)
    with closing(urllib.request.urlopen(link, timeout=10)) as answer:
        assert b"ConfirmSubscriptionResult" in answer.read()
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15550100")
    sns.publish(TopicArn=topic, Message="Grüße", Subject="hello")
    message = message_from_string(eventually(lambda: mail.received[1:])[0][1])
    assert message["Subject"] == "hello"
    assert str(message.get_payload(decode=True), "utf-8").startswith("Grüße\n")
    kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    sent = sns.publish(PhoneNumber="+15550199", Message="direct", MessageAttributes=kind)
    first, second = eventually(lambda: len(gateway.received) == 2 and gateway.received)
    direct, subscribed_text = sorted((first, second), key=lambda one: bool(one["Message"] != "direct"))
    assert direct == {
        "PhoneNumber": "+15550199",
        "Message": "direct",
        "MessageId": sent["MessageId"],
        "SMSType": "Transactional",
        "SenderID": "Lambent",
    }
    assert (subscribed_text["PhoneNumber"], subscribed_text["SMSType"]) == ("+15550100", "Promotional")


def test_without_servers_for_them_they_are_refused(lambent: Lambent) -> None:
    sns = lambent.client("sns")
    topic = sns.create_topic(Name=lambent.new_name("topic"))["TopicArn"]
    for protocol, endpoint, setting in (
        ("email", "who@example.org", "smtp_server"),
        ("email-json", "who@example.org", "smtp_server"),
        ("sms", "+12/34-567.890", "sms_gateway"),
    ):
        with pytest.raises(ClientError, match=f"Lambent delivers by {protocol} only where {setting} is set"):
            sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    with pytest.raises(ClientError, match="only where sms_gateway is set"):
        sns.publish(PhoneNumber="+15550199", Message="nobody brings this")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_settings_and_numbers(lambent: Lambent) -> None:
    sns = lambent.client("sns", region="eu-west-1")
    assert sns.get_sms_attributes()["attributes"] == {}
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional", "DefaultSenderID": "me"})
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Promotional"})
    assert sns.get_sms_attributes()["attributes"] == {
        "DefaultSMSType": "Promotional",
        "DefaultSenderID": "me",
    }
    assert sns.get_sms_attributes(attributes=["DefaultSenderID"])["attributes"] == {"DefaultSenderID": "me"}
    for wrong in ({"DefaultSMSType": "x"}, {"Nothing": "x"}, {"UsageReportS3Bucket": "b"}):
        with pytest.raises(ClientError, match="InvalidParameter"):
            sns.set_sms_attributes(attributes=wrong)
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+15550100")["isOptedOut"] is False
    with pytest.raises(ClientError, match="input incorrectly formatted"):
        sns.check_if_phone_number_is_opted_out(phoneNumber="5550100")
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == []
    assert sns.get_sms_sandbox_account_status()["IsInSandbox"] is False


@pytest.mark.parametrize("number", ["+15--551234567", "NAA+15551234567", "+15551234567.", "/+15551234567"])
def test_numbers_that_cannot_be_subscribed(lambent: Lambent, number: str) -> None:
    sns = lambent.client("sns")
    topic = sns.create_topic(Name=lambent.new_name("topic"))["TopicArn"]
    with pytest.raises(ClientError) as caught:
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=number)
    assert caught.value.response["Error"]["Message"] == f"Invalid SMS endpoint: {number}"

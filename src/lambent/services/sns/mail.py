"""Email to subscribers, handed over to a mail server of the operator's by SMTP.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

import asyncio
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import urlsplit

from lambent.targets.failure import DeliveryFailedError

_SECONDS = 15.0
_SUBJECTS: Mapping[str, str] = {
    "Notification": "AWS Notification Message",
    "SubscriptionConfirmation": "AWS Notification - Subscription Confirmation",
    "UnsubscribeConfirmation": "AWS Notification - Unsubscribe Confirmation",
}


class Mail:
    def __init__(self, server: str | None, sender: str) -> None:
        """`server` is smtp://HOST:PORT, or smtps:// for TLS from the first byte on."""
        self.server = server
        self._sender = sender

    async def send(self, to: str, subject: str, text: str) -> None:
        """Raises DeliveryFailedError."""
        if self.server is None:
            raise DeliveryFailedError("NO_RESOURCE", "The setting smtp_server names no server for email.")
        await asyncio.to_thread(self._hand_over, self.server, self._message(to, subject, text), to)

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = f"AWS Notifications <{self._sender}>"
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message.set_content(text)
        return message

    def _hand_over(self, server: str, message: EmailMessage, to: str) -> None:
        parts = urlsplit(server)
        kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        try:
            with kind(parts.hostname or "", parts.port or 0, timeout=_SECONDS) as connection:
                connection.send_message(message, from_addr=self._sender, to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as error:
            ((status, said),) = error.recipients.values()
            raise _refused(status, said) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailedError("CONNECTION_FAILURE", str(error), retriable=True) from error


def subject_of(kind: str, subject: str | None) -> str:
    """`kind` is the message's Type."""
    return subject or _SUBJECTS[kind]


def text_of(members: Mapping[str, Any]) -> str:
    """What a person reads of a notification or confirmation, by its members."""
    if members["Type"] == "Notification":
        return (
            f"{members['Message']}\n\n--\n"
            f"To stop receiving notifications from this topic, visit:\n{members['UnsubscribeURL']}\n"
        )
    return f"{members['Message']}\n\n{members['SubscribeURL']}\n"


def _refused(status: int, said: bytes | str) -> DeliveryFailedError:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return DeliveryFailedError(
        "ERROR_FROM_TARGET",
        f"The mail server answered {status} {text}",
        retriable=status < 500,
        status=status,
    )

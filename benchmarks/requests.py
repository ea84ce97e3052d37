"""HTTP requests to invoke a function, signed once and sent many times: boto3 burns more CPU per call than a server.

A signature lives five minutes, so that a request is signed right before each run that uses it.
"""

import socket
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EVENT = b'{"name": "' + b"x" * 80 + b'"}'
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A function behind an endpoint that offers Lambda's Invoke. `endpoint` is http://HOST:PORT."""

    endpoint: str
    function: str
    access_key_id: str = "test"
    secret_access_key: str = "test"
    """What emulators take."""
    event: bytes = EVENT
    invocation_type: str = "RequestResponse"

    @property
    def path(self) -> str:
        return f"/2015-03-31/functions/{self.function}/invocations"

    @property
    def host(self) -> str:
        return self.endpoint.removeprefix("http://")

    def signed_headers(self) -> dict[str, str]:
        headers = {"X-Amz-Invocation-Type": self.invocation_type} if self.invocation_type == "Event" else {}
        request = AWSRequest("POST", self.endpoint + self.path, data=self.event, headers=headers)
        credentials = Credentials(self.access_key_id, self.secret_access_key)
        SigV4Auth(credentials, "lambda", REGION).add_auth(request)
        return {"Host": self.host, **{str(name): str(value) for name, value in request.headers.items()}}

    def signed_request(self) -> bytes:
        """The whole request, as it is sent."""
        lines = [f"{name}: {value}" for name, value in self.signed_headers().items()]
        head = "\r\n".join([f"POST {self.path} HTTP/1.1", *lines, f"Content-Length: {len(self.event)}"])
        return head.encode() + b"\r\n\r\n" + self.event


class KeptConnection:
    """One connection that costs next to nothing on the client's side: a request out, its response in."""

    def __init__(self, target: Target, *, timeout_seconds: float = 60.0) -> None:
        host, _, port = target.host.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=timeout_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the response. Raises ConnectionError where it is not 200 with a Content-Length."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"the answer was {head.decode()} {body.decode()}")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(body) < length:
            body += self._receive()
        return head, body

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        self._socket.close()

"""A server that others are measured beside, and the load of many clients: for services that speak JSON."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.requests import REGION, KeptConnection, Target

_PROTOCOLS = {
    "sqs": ("AmazonSQS", "application/x-amz-json-1.0"),
    "events": ("AWSEvents", "application/x-amz-json-1.1"),
}
"""By service: what X-Amz-Target begins with, and the content type."""


@dataclass(frozen=True, slots=True)
class Contender:
    endpoint: str
    access_key_id: str = "test"
    secret_access_key: str = "test"

    def client(self, service: str) -> Any:
        session = boto3.Session(self.access_key_id, self.secret_access_key, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    def request(self, service: str, operation: str, parameters: dict[str, Any]) -> bytes:
        """Signed and whole."""
        prefix, content_type = _PROTOCOLS[service]
        body = json.dumps(parameters).encode()
        headers = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": content_type}
        request = AWSRequest("POST", self.endpoint + "/", data=body, headers=headers)
        SigV4Auth(Credentials(self.access_key_id, self.secret_access_key), service, REGION).add_auth(request)
        host = self.endpoint.removeprefix("http://")
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        head = "\r\n".join(["POST / HTTP/1.1", f"Host: {host}", *lines, f"Content-Length: {len(body)}"])
        return head.encode() + b"\r\n\r\n" + body

    def rate(self, clients: int, seconds: float, work: Callable[[int, KeptConnection], int]) -> float:
        """What `work` did per second. Each client does it again and again, by its own number and connection; it says
        how much it was."""
        counts = [0] * clients
        end = time.perf_counter() + seconds

        def run(client: int) -> None:
            connection = KeptConnection(Target(endpoint=self.endpoint, function=""))
            while time.perf_counter() < end:
                counts[client] += work(client, connection)
            connection.close()

        began = time.perf_counter()
        threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - began)

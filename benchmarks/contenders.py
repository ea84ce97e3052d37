"""A server that others are measured beside, and the load of many clients: for services that speak JSON."""

import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import boto3

from benchmarks.requests import REGION, KeptConnection, Target
from lambent.wire.sigv4.keys import derive_signing_key

_PROTOCOLS = {
    "sqs": ("AmazonSQS", "application/x-amz-json-1.0"),
    "events": ("AWSEvents", "application/x-amz-json-1.1"),
}
"""By service: what X-Amz-Target begins with, and the content type."""
_signing_key = lru_cache(maxsize=64)(derive_signing_key)


@dataclass(frozen=True, slots=True)
class Contender:
    endpoint: str
    access_key_id: str = "test"
    secret_access_key: str = "test"

    def client(self, service: str) -> Any:
        session = boto3.Session(self.access_key_id, self.secret_access_key, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    def request(self, service: str, operation: str, parameters: dict[str, Any]) -> bytes:
        """Signed and whole; by hand, as botocore's signer takes 80 µs, which is most of what a client would cost."""
        prefix, content_type = _PROTOCOLS[service]
        body = json.dumps(parameters).encode()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            "content-type": content_type,
            "host": self.endpoint.removeprefix("http://"),
            "x-amz-date": moment,
            "x-amz-target": f"{prefix}.{operation}",
        }
        signed = ";".join(headers)
        scope = f"{moment[:8]}/{REGION}/{service}/aws4_request"
        lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
        canonical = f"POST\n/\n\n{lines}\n{signed}\n{sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(self.secret_access_key, moment[:8], REGION, service)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"{self.access_key_id}/{scope}"
        head = (
            f"POST / HTTP/1.1\n{lines}authorization:AWS4-HMAC-SHA256 Credential={credential}, "
            f"SignedHeaders={signed}, Signature={signature}\ncontent-length:{len(body)}\n\n"
        )
        return head.replace("\n", "\r\n").encode() + body

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

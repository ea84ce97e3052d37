"""SelectObjectContent: an SQL expression over the records of one object, answered as they are read.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
"""

from collections.abc import AsyncGenerator, Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Client, Operation
from lambent.services.s3.errors import unsupported
from lambent.services.s3.select.selection import Selection

_READ_AS = ("Bucket", "Key", "ExpectedBucketOwner", "SSECustomerAlgorithm", "SSECustomerKey")


class Selecting:
    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> Mapping[str, Operation]:
        return {"SelectObjectContent": self.select}

    async def select(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Reads the object as the caller, who needs to be allowed no more than that."""
        _refuse_unsupported(parameters)
        selection = Selection(parameters)
        read = {member: parameters[member] for member in _READ_AS if member in parameters}
        found = await self._client("s3", "GetObject", caller, read)
        body = found["Body"]
        return {"Payload": selection.events(_whole(body) if isinstance(body, bytes) else body)}


async def _whole(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _refuse_unsupported(parameters: Parameters) -> None:
    if "Parquet" in parameters["InputSerialization"]:
        raise unsupported("S3 Select of Parquet.")
    if "ScanRange" in parameters:
        raise unsupported("ScanRange in S3 Select.")

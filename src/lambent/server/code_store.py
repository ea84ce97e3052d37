"""Functions' code from an S3-compatible store that the user has already, where its bucket is none of ours."""

import asyncio
import configparser
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Client

_BYTES_MOST = 262_144_000
"""What a package may have unpacked: none that is larger is read."""


class CodeStoreError(Exception):
    """The store that functions' code shall come from cannot be used as it is configured. The message says why."""


class _StoreException(ServiceException):
    """What the other store answered."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self._code = code

    @property
    def code(self) -> str:
        return self._code


class CodeStoreClient:
    """model.service.Client. GetObject of a bucket that is not ours is asked of the other store, with the server's key
    for it; whoever asks must be allowed to read that object by its own policies, as if it were here."""

    def __init__(self, client: Client, endpoint: str, credentials_file: Path, region: str) -> None:
        """Raises CodeStoreError."""
        import boto3  # noqa: PLC0415 - a tenth of a second of every start, and few servers have such a store

        self._client = client
        key_id, secret = _read_key(credentials_file)
        self._store: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, connect_timeout=10, read_timeout=60),
        )

    def offers(self, service: str, operation: str) -> bool:
        return self._client.offers(service, operation)

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        try:
            return await self._client(service, operation, caller, parameters)
        except ServiceException as error:
            if (service, operation, error.code) != ("s3", "GetObject", "NoSuchBucket"):
                raise
        return await asyncio.to_thread(self._get, parameters)

    def _get(self, parameters: Parameters) -> Parameters:
        try:
            found = self._store.get_object(**parameters)
            if found["ContentLength"] > _BYTES_MOST:
                return {"ContentLength": found["ContentLength"], "Body": b""}
            return {"ContentLength": found["ContentLength"], "Body": found["Body"].read()}
        except ClientError as error:
            told = error.response["Error"]
            raise _StoreException(told.get("Code", "Unknown"), told.get("Message", "")) from None
        except BotoCoreError as error:
            raise _StoreException("ServiceUnavailable", str(error)) from None


def _read_key(file: Path) -> tuple[str, str]:
    """From a file in the form of ~/.aws/credentials: its first section."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
        section = parser[parser.sections()[0]]
        return section["aws_access_key_id"], section["aws_secret_access_key"]
    except (OSError, ValueError, KeyError, IndexError, configparser.Error) as error:
        raise CodeStoreError(
            f"{file} must hold aws_access_key_id and aws_secret_access_key, as ~/.aws/credentials does: {error}"
        ) from None

"""A bucket that exports go to, as CloudWatch Logs finds and fills it."""

from lambent.base.arn import partition_of
from lambent.model.caller import Parameters, account_caller, service_caller
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.services.logs.exceptions import InvalidParameterException
from lambent.services.logs.subscriptions.courier import group_source

_MISSING = "The given bucket does not exist. Please make sure the bucket is valid."
_NOT_FOUND = ("NoSuchBucket", "NotFound", "404")
_PROBE = "aws-logs-write-test"


class Bucket:
    def __init__(self, client: Client, account_id: str, region: str, group: str, name: str) -> None:
        self._client = client
        self._account_id, self._region, self._group = account_id, region, group
        self._name = name

    async def check(self, prefix: str | None) -> None:
        """Writes what AWS writes to see whether it may. Raises InvalidParameterException."""
        await self._try("GetBucketAcl", {})
        key = _PROBE if prefix is None else f"{prefix}/{_PROBE}"
        await self._try("PutObject", _object(key, b"Permission Check Successful"))

    async def put(self, key: str, body: bytes) -> None:
        """Raises ServiceException."""
        await self._as_logs("PutObject", _object(key, body))

    async def _try(self, operation: str, asked: Parameters) -> None:
        try:
            await self._as_logs(operation, asked)
        except ServiceException as error:
            if not await self._exists():
                raise InvalidParameterException(_MISSING) from None
            raise InvalidParameterException(
                f"{operation} call on the given bucket failed. Please check if CloudWatch Logs has been granted "
                "permission to perform this operation."
            ) from error

    async def _exists(self) -> bool:
        """Whoever asks is of this account, and may be told; other accounts' buckets are there, and closed."""
        owner = account_caller("logs.amazonaws.com", account_id=self._account_id, region=self._region)
        try:
            await self._client("s3", "HeadBucket", owner, {"Bucket": self._name})
        except ServiceException as error:
            return error.code not in _NOT_FOUND
        return True

    async def _as_logs(self, operation: str, asked: Parameters) -> None:
        """By either name that policies know CloudWatch Logs by."""
        refused: ServiceException | None = None
        for service in ("logs.amazonaws.com", f"logs.{self._region}.amazonaws.com"):
            caller = service_caller(
                service,
                account_id=self._account_id,
                region=self._region,
                source_arn=group_source(self._account_id, self._region, self._group),
                partition=partition_of(self._region),
            )
            try:
                await self._client("s3", operation, caller, {"Bucket": self._name, **asked})
            except ServiceException as error:
                if error.code != "AccessDenied":
                    raise
                refused = refused or error
            else:
                return
        assert refused is not None
        raise refused


def _object(key: str, body: bytes) -> Parameters:
    return {"Key": key, "Body": body, "ACL": "bucket-owner-full-control"}

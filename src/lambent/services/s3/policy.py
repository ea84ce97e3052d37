"""PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import AccessDenied, MalformedPolicy, NotConfigured
from lambent.services.s3.public_access import is_public, opens_to_public, statements_of, texts_of

_SIZE_MOST = 20 * 1024


class BucketPolicies:
    def __init__(self, records: BucketRecords) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutBucketPolicy": self.put,
            "GetBucketPolicy": self.get,
            "DeleteBucketPolicy": self.delete,
            "GetBucketPolicyStatus": self.get_status,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        text = parameters.get("Policy", "")
        statements = _parse(bucket, text)
        blocked = (bucket.configurations.get("PublicAccessBlockConfiguration") or {}).get("BlockPublicPolicy")
        if blocked and any(opens_to_public(statement) for statement in statements):
            raise AccessDenied(
                f"User: {caller.principal_arn} is not authorized to perform: s3:PutBucketPolicy on resource:"
                f' "{bucket.arn(caller.partition)}" because public policies are prevented by the BlockPublicPolicy'
                " setting in S3 Block Public Access."
            )
        await self._records.change(bucket.name, lambda bucket: replace(bucket, policy=text))
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"Policy": _required(self._records.require(caller, parameters))}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        await self._records.change(bucket.name, lambda bucket: replace(bucket, policy=None))
        return {}

    async def get_status(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._records.require(caller, parameters)
        policy = _required(bucket)
        return {"PolicyStatus": {"IsPublic": is_public(policy)}}


def _required(bucket: Bucket) -> str:
    if bucket.policy is None:
        raise NotConfigured("NoSuchBucketPolicy", "The bucket policy does not exist", bucket.name)
    return bucket.policy


def _parse(bucket: Bucket, text: str) -> list[Mapping[str, Any]]:
    """The statements. Raises MalformedPolicy."""
    if len(text) > _SIZE_MOST:
        raise MalformedPolicy("Normalized size of policy document exceeds the maximum allowed size")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    if "Statement" not in document:
        raise MalformedPolicy("Missing required field Statement")
    try:
        parse_policy(text, PolicyKind.RESOURCE)
    except MalformedPolicyError as error:
        raise MalformedPolicy(str(error)) from None
    statements = statements_of(document)
    for statement in statements:
        _check_statement(bucket, statement)
    return statements


def _check_statement(bucket: Bucket, statement: Mapping[str, Any]) -> None:
    for action in texts_of(statement.get("Action", statement.get("NotAction"))):
        if action != "*" and not action.lower().startswith("s3:"):
            raise MalformedPolicy("Policy has invalid action")
    for resource in texts_of(statement.get("Resource", statement.get("NotResource"))):
        name = resource.split(":", 5)[-1].partition("/")[0]
        if name != bucket.name and not ("*" in name or "?" in name or "${" in name):
            raise MalformedPolicy("Policy has invalid resource")

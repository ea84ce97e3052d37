"""Which permission an operation needs, and who needs none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PartialKeys, UnreadKeyError
from lambent.model.resource_policy import ResourcePolicy
from lambent.model.service import Service


class Authorizer(Protocol):
    async def authorize(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        context: Mapping[str, str] | None = None,
        policy: ResourcePolicy | None = None,
    ) -> None:
        """Raises a ServiceException (AccessDeniedException, or what the service calls it) where the caller may not.

        `action` is an IAM action: lambda:InvokeFunction. `context` are the service's own condition keys, `policy` what
        is attached to the resource."""
        ...


_ACTIONS: Mapping[tuple[str, str], str] = {
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("lambda", "InvokeAsync"): "lambda:InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "lambda:InvokeFunction",
    ("lambda", "GetLayerVersionByArn"): "lambda:GetLayerVersion",
    ("s3", "SelectObjectContent"): "s3:GetObject",
    ("s3", "CompleteMultipartUpload"): "s3:PutObject",
    ("s3", "CopyObject"): "s3:PutObject",
    ("s3", "CreateMultipartUpload"): "s3:PutObject",
    ("s3", "DeleteBucketCors"): "s3:PutBucketCORS",
    ("s3", "DeleteBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "DeleteBucketLifecycle"): "s3:PutLifecycleConfiguration",
    ("s3", "DeleteBucketReplication"): "s3:PutReplicationConfiguration",
    ("s3", "DeleteBucketTagging"): "s3:PutBucketTagging",
    ("s3", "DeleteObjects"): "s3:DeleteObject",
    ("s3", "GetBucketAccelerateConfiguration"): "s3:GetAccelerateConfiguration",
    ("s3", "GetBucketCors"): "s3:GetBucketCORS",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketNotificationConfiguration"): "s3:GetBucketNotification",
    ("s3", "GetBucketReplication"): "s3:GetReplicationConfiguration",
    ("s3", "GetObjectLockConfiguration"): "s3:GetBucketObjectLockConfiguration",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListMultipartUploads"): "s3:ListBucketMultipartUploads",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "ListParts"): "s3:ListMultipartUploadParts",
    ("s3", "PutBucketAccelerateConfiguration"): "s3:PutAccelerateConfiguration",
    ("s3", "PutBucketCors"): "s3:PutBucketCORS",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
    ("s3", "PutBucketNotificationConfiguration"): "s3:PutBucketNotification",
    ("s3", "PutBucketReplication"): "s3:PutReplicationConfiguration",
    ("s3", "PutObjectLockConfiguration"): "s3:PutBucketObjectLockConfiguration",
    ("s3", "UploadPart"): "s3:PutObject",
    ("s3", "UploadPartCopy"): "s3:PutObject",
    ("sqs", "ChangeMessageVisibilityBatch"): "sqs:ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "sqs:DeleteMessage",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
    ("sns", "PublishBatch"): "sns:Publish",
}
"""By signing name and operation, where the action is not the operation's name. Source: the service authorization
reference, https://docs.aws.amazon.com/service-authorization/latest/reference/."""

_OF_VERSIONS: Mapping[str, str] = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
}
"""Actions that are another one where the request names a version."""


_WITH_A_NEW_OBJECT = (
    ("Tagging", "s3:PutObjectTagging"),
    ("ObjectLockMode", "s3:PutObjectRetention"),
    ("ObjectLockLegalHoldStatus", "s3:PutObjectLegalHold"),
)
_BYPASS = (("BypassGovernanceRetention", "s3:BypassGovernanceRetention"),)
_ALSO: Mapping[tuple[str, str], Sequence[tuple[str, str]]] = {
    ("s3", "PutObject"): _WITH_A_NEW_OBJECT,
    ("s3", "CopyObject"): _WITH_A_NEW_OBJECT,
    ("s3", "CreateMultipartUpload"): _WITH_A_NEW_OBJECT,
    ("s3", "DeleteObject"): _BYPASS,
    ("s3", "PutObjectRetention"): _BYPASS,
}
"""What a request needs as well where it has a member: the member, the action."""

_FREE_FOR_SERVICES = frozenset({("events", "PutEvents")})
"""What AWS services do of their own accord in the account that they act for, whatever policies say: their events are on
its default bus."""


def action_of(signing_name: str, operation: str, parameters: Parameters | None = None) -> str:
    action = _ACTIONS.get((signing_name, operation)) or f"{signing_name}:{operation}"
    if action in _OF_VERSIONS and parameters is not None and parameters.get("VersionId"):
        return _OF_VERSIONS[action]
    return action


async def require_permission(
    authorizer: Authorizer,
    caller: Caller,
    service: Service,
    signing_name: str,
    operation: str,
    parameters: Parameters,
) -> None:
    """Raises as `Authorizer.authorize`, for whichever resource the caller may not do this to."""
    if caller.service is not None and (signing_name, operation) in _FREE_FOR_SERVICES:
        return
    root = is_root(caller)
    if root and (
        service.resource_policy is None
        or (service.open_to_root is not None and service.open_to_root(operation, caller, parameters))
    ):
        return
    arns = service.resource_arn(operation, caller, parameters)
    context = service.condition_keys(operation, caller, parameters) if service.condition_keys else None
    late = service.late_keys
    if late is not None:
        context = PartialKeys(context or {}, late.prefix)
    for arn in (arns,) if isinstance(arns, str) else arns:
        policy = await service.resource_policy(arn) if service.resource_policy else None
        if root and (policy is None or _bars_nobody(policy, caller)):
            continue
        for action in _actions(signing_name, operation, parameters):
            try:
                await authorizer.authorize(caller, action, arn, context, policy)
            except UnreadKeyError:
                assert late is not None
                context = {**(context or {}), **await late.read(operation, parameters)}
                await authorizer.authorize(caller, action, arn, context, policy)


def _actions(signing_name: str, operation: str, parameters: Parameters) -> Iterator[str]:
    yield action_of(signing_name, operation, parameters)
    for member, further in _ALSO.get((signing_name, operation), ()):
        if parameters.get(member):
            yield further


def _bars_nobody(policy: ResourcePolicy, caller: Caller) -> bool:
    return policy.document is None and policy.account_id == caller.account_id


def is_root(caller: Caller) -> bool:
    """The account itself, which may do everything. A session of it (GetSessionToken) may not: IAM refuses some."""
    return caller.principal_arn.endswith(":root") and not caller.access_key_id.startswith("ASIA")

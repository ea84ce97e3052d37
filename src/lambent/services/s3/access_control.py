"""What access control lists say: canned ones, those of headers, and those that are written out.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args

from lambent.model.access_control import AccessControlList, Grant, Permission
from lambent.model.bucket import Bucket
from lambent.model.caller import Parameters
from lambent.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedACLError,
    MissingSecurityHeader,
    UnexpectedContent,
    UnresolvableGrantByEmailAddress,
)
from lambent.services.s3.owners import canonical_id, owner

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GRANTS: Mapping[str, Permission] = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
"""The members of requests that grant."""

_GROUPS = frozenset({EVERYBODY, AUTHENTICATED, LOG_DELIVERY})
_PUBLIC = frozenset({EVERYBODY, AUTHENTICATED})
_PERMISSIONS = frozenset(get_args(Permission))
_CANONICAL_ID = re.compile(r"[0-9a-f]{64}")
_GRANTEE = re.compile(r"""\s*(\w+)\s*=\s*"?([^"]*?)"?\s*""")
_IMAGES_OF_EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
"""The account from which EC2 reads the images of machines: aws-exec-read."""

_CANNED: Mapping[str, Sequence[Grant]] = {
    "private": (),
    "public-read": (Grant(permission="READ", group=EVERYBODY),),
    "public-read-write": (
        Grant(permission="READ", group=EVERYBODY),
        Grant(permission="WRITE", group=EVERYBODY),
    ),
    "authenticated-read": (Grant(permission="READ", group=AUTHENTICATED),),
    "aws-exec-read": (Grant(permission="READ", user=_IMAGES_OF_EC2),),
    "log-delivery-write": (
        Grant(permission="WRITE", group=LOG_DELIVERY),
        Grant(permission="READ_ACP", group=LOG_DELIVERY),
    ),
}
"""What they grant beside the owner's own FULL_CONTROL."""

_OF_BUCKET_OWNER: Mapping[str, Permission] = {
    "bucket-owner-read": "READ",
    "bucket-owner-full-control": "FULL_CONTROL",
}


def private(account_id: str) -> AccessControlList:
    return AccessControlList(
        owner=account_id, grants=(Grant(permission="FULL_CONTROL", user=canonical_id(account_id)),)
    )


def asks_for_list(parameters: Parameters) -> bool:
    """Whether the headers of a request say anything of a list."""
    return "ACL" in parameters or any(parameters.get(member) for member in GRANTS)


def requested(parameters: Parameters, owner_id: str, bucket_owner_id: str) -> AccessControlList | None:
    """What the headers of a request ask for, None where they ask for nothing. Raises InvalidArgument and its kin."""
    canned = parameters.get("ACL")
    granting = [(member, parameters[member]) for member in GRANTS if parameters.get(member)]
    if canned is not None and granting:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if granting:
        grants = tuple(grant for member, text in granting for grant in _read_header(member, text))
        return AccessControlList(owner=owner_id, grants=grants)
    return None if canned is None else _of_canned(canned, owner_id, bucket_owner_id)


def replacement(
    parameters: Parameters, current: AccessControlList, bucket_owner_id: str
) -> AccessControlList:
    """What PutBucketAcl and PutObjectAcl ask for, in one of three ways. Raises InvalidArgument and its kin."""
    asked = requested(parameters, current.owner, bucket_owner_id)
    written = parameters.get("AccessControlPolicy")
    if asked is None and written is None:
        raise MissingSecurityHeader(MissingHeaderName="x-amz-acl")
    if asked is not None and written:
        raise UnexpectedContent()
    return asked or _read_written(written or {}, current)


def is_public(grants: Iterable[Grant]) -> bool:
    return any(grant.group in _PUBLIC for grant in grants)


def not_public(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """What IgnorePublicAcls leaves."""
    return tuple(grant for grant in grants if grant.group not in _PUBLIC)


def list_members(acl: AccessControlList) -> Parameters:
    """As GetBucketAcl and GetObjectAcl answer it."""
    return {
        "Owner": owner(acl.owner),
        "Grants": [{"Grantee": _grantee(acl, grant), "Permission": grant.permission} for grant in acl.grants],
    }


def block_of(bucket: Bucket, name: str) -> bool:
    """Whether Block Public Access has this setting."""
    return bool((bucket.configurations.get("PublicAccessBlockConfiguration") or {}).get(name))


def _grantee(acl: AccessControlList, grant: Grant) -> dict[str, str]:
    if grant.group is not None:
        return {"Type": "Group", "URI": grant.group}
    named = owner(acl.owner) if grant.user == canonical_id(acl.owner) else {"ID": grant.user or ""}
    return {**named, "Type": "CanonicalUser"}


def _of_canned(canned: str, owner_id: str, bucket_owner_id: str) -> AccessControlList:
    own = private(owner_id)
    if canned in _CANNED:
        return AccessControlList(owner=owner_id, grants=(*own.grants, *_CANNED[canned]))
    if canned not in _OF_BUCKET_OWNER:
        raise InvalidArgument("", ArgumentName="x-amz-acl", ArgumentValue=canned)
    if owner_id == bucket_owner_id:
        return own
    further = Grant(permission=_OF_BUCKET_OWNER[canned], user=canonical_id(bucket_owner_id))
    return AccessControlList(owner=owner_id, grants=(*own.grants, further))


def _read_header(member: str, text: str) -> Iterable[Grant]:
    """One of x-amz-grant-…: id="…", uri="…"."""
    for one in text.split(","):
        found = _GRANTEE.fullmatch(one)
        kind, value = (found[1], found[2]) if found else ("", "")
        if kind == "id":
            if not _CANONICAL_ID.fullmatch(value):
                raise InvalidArgument("Invalid id", ArgumentName="id", ArgumentValue=value)
            yield Grant(permission=GRANTS[member], user=value)
        elif kind == "uri":
            if value not in _GROUPS:
                raise InvalidArgument("Invalid group uri", ArgumentName="uri", ArgumentValue=value)
            yield Grant(permission=GRANTS[member], group=value)
        elif kind == "emailAddress":
            raise UnresolvableGrantByEmailAddress(Email=value)
        else:
            header = "x-amz-grant-" + GRANTS[member].lower().replace("_", "-")
            raise InvalidArgument(
                "Argument format not recognized", ArgumentName=header, ArgumentValue=one.strip()
            )


def _read_written(policy: Mapping[str, Any], current: AccessControlList) -> AccessControlList:
    """An AccessControlPolicy. The owner stays who it was."""
    if "Owner" not in policy or "Grants" not in policy:
        raise MalformedACLError()
    owner_id = policy["Owner"].get("ID", "")
    _check_user(owner_id)
    if owner_id != canonical_id(current.owner):
        raise InvalidArgument("Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=owner_id)
    grants = tuple(_read_grant(grant) for grant in policy["Grants"])
    return AccessControlList(owner=current.owner, grants=grants)


def _read_grant(grant: Mapping[str, Any]) -> Grant:
    permission, grantee = grant.get("Permission"), grant.get("Grantee") or {}
    if permission not in _PERMISSIONS:
        raise MalformedACLError()
    match grantee.get("Type"):
        case "CanonicalUser":
            _check_user(grantee.get("ID", ""))
            return Grant(permission=cast(Permission, permission), user=grantee["ID"])
        case "Group":
            if grantee.get("URI") not in _GROUPS:
                raise InvalidArgument(
                    "Invalid group uri", ArgumentName="Group/URI", ArgumentValue=grantee.get("URI", "")
                )
            return Grant(permission=cast(Permission, permission), group=grantee["URI"])
        case "AmazonCustomerByEmail":
            raise UnresolvableGrantByEmailAddress(Email=grantee.get("EmailAddress", ""))
    raise MalformedACLError()


def _check_user(user: str) -> None:
    if not _CANONICAL_ID.fullmatch(user):
        raise InvalidArgument("Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=user)

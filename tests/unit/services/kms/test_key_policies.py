"""Who may use a key: its policy decides alone, its grants add to it."""

import json
from typing import Any

import pytest

from lambent.model.caller import service_caller
from lambent.model.error import ServiceException
from lambent.services.kms.errors import (
    InvalidGrantIdException,
    MalformedPolicyDocumentException,
    NotFoundException,
)

ROLE = "arn:aws:iam::123456789012:role/works"
MAY_ENCRYPT = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}}
)


def policy(principal: Any, actions: Any = "kms:*") -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def denied(awaitable: Any) -> bool:
    try:
        await awaitable
    except ServiceException as error:
        assert error.code == "AccessDeniedException", error
        return True
    return False


async def test_by_default_the_account_decides(aws: Any) -> None:
    id = await aws.key()
    assert not await denied(aws.by_role(MAY_ENCRYPT).call("Encrypt", KeyId=id, Plaintext=b"x"))
    assert await denied(aws.by_role().call("Encrypt", KeyId=id, Plaintext=b"x"))


async def test_a_key_whose_policy_leaves_the_account_out_is_not_for_it(aws: Any) -> None:
    id = await aws.key(Policy=policy({"AWS": ROLE}, "kms:Decrypt"))
    assert await denied(aws.call("Encrypt", KeyId=id, Plaintext=b"x"))
    assert await denied(aws.by_role(MAY_ENCRYPT).call("Encrypt", KeyId=id, Plaintext=b"x"))


async def test_whom_the_policy_names_needs_no_policy_of_its_own(aws: Any) -> None:
    id = await aws.key()
    named = {"AWS": [ROLE, "arn:aws:iam::123456789012:root"]}
    await aws.call("PutKeyPolicy", KeyId=id, PolicyName="default", Policy=policy(named))
    assert not await denied(aws.by_role().call("Encrypt", KeyId=id, Plaintext=b"x"))
    assert (await aws.call("ListKeyPolicies", KeyId=id))["PolicyNames"] == ["default"]


async def test_other_accounts_need_both(aws: Any) -> None:
    id = await aws.key()
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{id}"
    other = aws.by(account_id="999999999999", principal_arn="arn:aws:iam::999999999999:root", user_id="9")
    assert await denied(other.call("Encrypt", KeyId=arn, Plaintext=b"x"))
    both = {"AWS": ["arn:aws:iam::999999999999:root", "arn:aws:iam::123456789012:root"]}
    await aws.call("PutKeyPolicy", KeyId=id, Policy=policy(both))
    assert not await denied(other.call("Encrypt", KeyId=arn, Plaintext=b"x"))


async def test_a_grant_opens_what_it_names_under_its_constraints(aws: Any) -> None:
    id = await aws.key()
    context = {"f": "1"}
    ciphertext = (await aws.call("Encrypt", KeyId=id, Plaintext=b"x", EncryptionContext=context))[
        "CiphertextBlob"
    ]
    role = aws.by_role()

    def decrypt() -> Any:
        return role.call("Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)

    assert await denied(decrypt())
    for constraint, opens in (
        ({"EncryptionContextSubset": {"f": "2"}}, False),
        ({"EncryptionContextEquals": {"f": "1", "g": "2"}}, False),
        ({"EncryptionContextEquals": context}, True),
        ({"EncryptionContextSubset": context}, True),
        ({}, True),
    ):
        grant = await aws.call(
            "CreateGrant", KeyId=id, GranteePrincipal=ROLE, Operations=["Decrypt"], Constraints=constraint
        )
        assert await denied(decrypt()) is not opens, constraint
        assert await denied(role.call("Encrypt", KeyId=id, Plaintext=b"x"))
        await aws.call("RevokeGrant", KeyId=id, GrantId=grant["GrantId"])
        assert await denied(decrypt())


async def test_an_aws_service_may_have_a_grant(aws: Any) -> None:
    id = await aws.key()
    await aws.call(
        "CreateGrant",
        KeyId=id,
        GranteePrincipal="logs.amazonaws.com",
        Operations=["Encrypt", "GenerateDataKey"],
    )
    service = aws.by()
    service.caller = service_caller(
        "logs.amazonaws.com", account_id="123456789012", region="us-east-1", source_arn=None
    )
    assert not await denied(service.call("Encrypt", KeyId=id, Plaintext=b"x"))


async def test_grants_are_listed_made_once_under_a_name_and_retired(aws: Any) -> None:
    id = await aws.key()
    settings = {
        "KeyId": id,
        "GranteePrincipal": ROLE,
        "Operations": ["Decrypt"],
        "Name": "n",
        "RetiringPrincipal": ROLE,
    }
    first = await aws.call("CreateGrant", **settings)
    assert await aws.call("CreateGrant", **settings) == first
    (listed,) = (await aws.call("ListGrants", KeyId=id))["Grants"]
    assert (listed["GrantId"], listed["Name"], listed["Operations"]) == (first["GrantId"], "n", ["Decrypt"])
    assert (await aws.call("ListRetirableGrants", RetiringPrincipal=ROLE))["Grants"] == [listed]
    elsewhere = aws.by(region="eu-west-1")
    assert (await elsewhere.call("ListRetirableGrants", RetiringPrincipal=ROLE))["Grants"] == []
    assert not await denied(aws.by_role().call("RetireGrant", GrantToken=first["GrantToken"]))
    assert (await aws.call("ListGrants", KeyId=id))["Grants"] == []
    with pytest.raises(InvalidGrantIdException):
        await aws.call("RevokeGrant", KeyId=id, GrantId=first["GrantId"])


async def test_a_policy_that_is_none_is_refused(aws: Any) -> None:
    id = await aws.key()
    for operation, parameters in (
        ("CreateKey", {"Policy": "{}"}),
        ("PutKeyPolicy", {"KeyId": id, "Policy": "no json"}),
    ):
        with pytest.raises(MalformedPolicyDocumentException):
            await aws.call(operation, **parameters)
    with pytest.raises(NotFoundException, match=r"^No such policy exists$"):
        await aws.call("GetKeyPolicy", KeyId=id, PolicyName="other")

import re
from typing import Any

import pytest

from lambent.model.code_signing import CodeSignature
from lambent.model.error import ServiceException
from lambent.model.lambda_errors import (
    CodeSigningConfigNotFoundException,
    CodeVerificationFailedException,
    InvalidCodeSignatureException,
    ResourceConflictException,
    ResourceNotFoundException,
)

PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/test/v1"
NONE = f"arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-{'0' * 17}"
REVOCATION = ("signer", "GetRevocationStatus")


async def make(aws: Any, policy: str = "Enforce", profile: str = PROFILE) -> str:
    made = await aws.call(
        "CreateCodeSigningConfig",
        AllowedPublishers={"SigningProfileVersionArns": [profile]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )
    return str(made["CodeSigningConfig"]["CodeSigningConfigArn"])


def signed(aws: Any, archive: bytes, *, expires_in: float = 60.0) -> bytes:
    now = aws.clock.now()
    signature = CodeSignature(
        profile_version_arn=PROFILE, job_arn="arn:job", signed_at=now, expires_at=now + expires_in
    )
    return bytes(aws.code_signer.sign(archive, signature))


async def test_a_configuration_from_its_creation_to_its_end(aws: Any) -> None:
    publishers = {"SigningProfileVersionArns": [PROFILE]}
    made = (await aws.call("CreateCodeSigningConfig", Description="d", AllowedPublishers=publishers))[
        "CodeSigningConfig"
    ]
    assert re.fullmatch(r"csc-[a-z0-9]{17}", made["CodeSigningConfigId"])
    arn = made["CodeSigningConfigArn"]
    assert arn == NONE.replace(f"csc-{'0' * 17}", made["CodeSigningConfigId"])
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert (made["Description"], made["AllowedPublishers"]) == ("d", publishers)
    assert await aws.call("GetCodeSigningConfig", CodeSigningConfigArn=arn) == {"CodeSigningConfig": made}
    aws.clock.advance(1)
    changed = (
        await aws.call(
            "UpdateCodeSigningConfig",
            CodeSigningConfigArn=arn,
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
        )
    )["CodeSigningConfig"]
    assert changed["LastModified"] > made["LastModified"]
    assert changed["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert changed["Description"] == "d"
    assert await aws.call("ListCodeSigningConfigs") == {"CodeSigningConfigs": [changed]}
    assert await aws.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn) == {}
    assert await aws.call("ListCodeSigningConfigs") == {"CodeSigningConfigs": []}


async def test_a_function_has_one_or_none(aws: Any) -> None:
    arn = await make(aws)
    await aws.create()
    assert await aws.call("GetFunctionCodeSigningConfig", FunctionName="hello") == {}
    put = await aws.call("PutFunctionCodeSigningConfig", FunctionName="hello", CodeSigningConfigArn=arn)
    assert put == {"FunctionName": "hello", "CodeSigningConfigArn": arn}
    assert await aws.call("GetFunctionCodeSigningConfig", FunctionName="hello") == put
    listed = await aws.call("ListFunctionsByCodeSigningConfig", CodeSigningConfigArn=arn)
    assert listed == {"FunctionArns": ["arn:aws:lambda:us-east-1:123456789012:function:hello"]}
    with pytest.raises(ResourceConflictException):
        await aws.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn)
    assert await aws.call("DeleteFunctionCodeSigningConfig", FunctionName="hello") == {}
    assert await aws.call("GetFunctionCodeSigningConfig", FunctionName="hello") == {}


@pytest.mark.parametrize(
    "operation",
    [
        "GetCodeSigningConfig",
        "UpdateCodeSigningConfig",
        "DeleteCodeSigningConfig",
        "ListFunctionsByCodeSigningConfig",
    ],
)
async def test_one_that_is_not_there_is_named(aws: Any, operation: str) -> None:
    with pytest.raises(ResourceNotFoundException) as raised:
        await aws.call(operation, CodeSigningConfigArn=NONE)
    assert raised.value.message == f"The Lambda code signing configuration {NONE} can not be found."
    other_account = NONE.replace("123456789012", "999999999999")
    with pytest.raises(ResourceNotFoundException):
        await aws.call(operation, CodeSigningConfigArn=other_account)


async def test_a_function_cannot_get_one_that_is_not_there(aws: Any) -> None:
    await aws.create()
    message = "^The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
    with pytest.raises(CodeSigningConfigNotFoundException, match=message):
        await aws.call("PutFunctionCodeSigningConfig", FunctionName="hello", CodeSigningConfigArn=NONE)
    with pytest.raises(CodeSigningConfigNotFoundException):
        await aws.create("other", CodeSigningConfigArn=NONE)
    with pytest.raises(ResourceNotFoundException, match="Function not found"):
        await aws.call(
            "PutFunctionCodeSigningConfig", FunctionName="no", CodeSigningConfigArn=await make(aws)
        )


async def test_tags(aws: Any) -> None:
    arn = await make(aws)
    await aws.call("TagResource", Resource=arn, Tags={"a": "1", "b": "2"})
    await aws.call("UntagResource", Resource=arn, TagKeys=["a"])
    assert await aws.call("ListTags", Resource=arn) == {"Tags": {"b": "2"}}
    with pytest.raises(ResourceNotFoundException):
        await aws.call("ListTags", Resource=NONE)


async def test_enforced_only_trusted_code_is_deployed(aws: Any, new_zip: Any) -> None:
    aws.others.answers[REVOCATION] = {"revokedEntities": []}
    arn = await make(aws)
    unsigned = new_zip({"app.py": "x = 1"})
    with pytest.raises(CodeVerificationFailedException, match=r"Check the provided signature for hello\.$"):
        await aws.create(Code={"ZipFile": unsigned}, CodeSigningConfigArn=arn)
    assert not aws.functions.functions
    created = await aws.create(Code={"ZipFile": signed(aws, unsigned)}, CodeSigningConfigArn=arn)
    assert (created["SigningProfileVersionArn"], created["SigningJobArn"]) == (PROFILE, "arn:job")
    assert (await aws.call("GetFunctionCodeSigningConfig", FunctionName="hello"))[
        "CodeSigningConfigArn"
    ] == arn
    with pytest.raises(CodeVerificationFailedException):
        await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=unsigned)
    late = signed(aws, unsigned, expires_in=-1.0)
    with pytest.raises(CodeVerificationFailedException):
        await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=late)
    await aws.call(
        "UpdateFunctionCode", FunctionName="hello", ZipFile=signed(aws, new_zip({"app.py": "x = 2"}))
    )


@pytest.mark.parametrize("answer", [{"revokedEntities": ["arn:job"]}, ServiceException("no such profile")])
async def test_what_signer_revoked_or_does_not_know_is_not_trusted(
    aws: Any, new_zip: Any, answer: Any
) -> None:
    aws.others.answers[REVOCATION] = answer
    with pytest.raises(CodeVerificationFailedException):
        await aws.create(
            Code={"ZipFile": signed(aws, new_zip({"a": "a"}))}, CodeSigningConfigArn=await make(aws)
        )
    _, caller, asked = aws.others.asked[-1]
    assert caller.service == "lambda.amazonaws.com"
    assert (asked["profileVersionArn"], asked["jobArn"]) == (PROFILE, "arn:job")


async def test_warned_untrusted_code_is_deployed_and_counted(aws: Any, new_zip: Any) -> None:
    await aws.create(Code={"ZipFile": new_zip({"a": "a"})}, CodeSigningConfigArn=await make(aws, "Warn"))
    assert [noted.name for noted in aws.metrics.of("AWS/Lambda")] == ["SignatureValidationErrors"]


@pytest.mark.parametrize("policy", ["Warn", "Enforce"])
async def test_code_that_was_changed_after_it_was_signed_is_never_deployed(
    aws: Any, new_zip: Any, policy: str
) -> None:
    import io
    import zipfile

    broken = io.BytesIO(signed(aws, new_zip({"app.py": "x = 1"})))
    with zipfile.ZipFile(broken, "a") as archive:
        archive.writestr("more.py", "y = 2")
    with pytest.raises(InvalidCodeSignatureException):
        await aws.create(Code={"ZipFile": broken.getvalue()}, CodeSigningConfigArn=await make(aws, policy))


async def test_layers_are_held_to_it_too(aws: Any, new_zip: Any) -> None:
    aws.others.answers[REVOCATION] = {"revokedEntities": []}
    await aws.create(Code={"ZipFile": signed(aws, new_zip({"a": "a"}))}, CodeSigningConfigArn=await make(aws))
    layer = new_zip({"python/l.py": ""})
    arns = [
        (await aws.call("PublishLayerVersion", LayerName="l", Content={"ZipFile": content}))[
            "LayerVersionArn"
        ]
        for content in (layer, signed(aws, layer))
    ]
    with pytest.raises(CodeVerificationFailedException, match=arns[0]):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Layers=arns[:1])
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Layers=arns[1:])
    assert updated["Layers"][0]["SigningJobArn"] == "arn:job"

"""Repositories, their tags and policies."""

import json
from dataclasses import replace

import pytest

from lambent.model.error import ServiceException
from lambent.services.ecr.errors import (
    InvalidParameterException,
    InvalidTagParameterException,
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    RepositoryNotFoundException,
    RepositoryPolicyNotFoundException,
    TooManyTagsException,
)

ARN = "arn:aws:ecr:us-east-1:123456789012:repository/"


async def test_one_is_described_with_every_default(aws):
    made = await aws.call("CreateRepository", repositoryName="team/app")
    expected = {
        "repositoryArn": f"{ARN}team/app",
        "registryId": "123456789012",
        "repositoryName": "team/app",
        "repositoryUri": "host/team/app",
        "createdAt": round(aws.clock.now(), 3),
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert made == {"repository": expected}
    assert await aws.call("DescribeRepositories", repositoryNames=["team/app"]) == {
        "repositories": [expected]
    }


async def test_what_is_not_there_or_there_already(aws):
    message = "^The repository with name 'none' does not exist in the registry with id '123456789012'$"
    for operation, parameters in {
        "DeleteRepository": {},
        "ListImages": {},
        "DescribeImages": {},
        "InitiateLayerUpload": {},
        "GetRepositoryPolicy": {},
        "PutImageTagMutability": {"imageTagMutability": "MUTABLE"},
    }.items():
        with pytest.raises(RepositoryNotFoundException, match=message):
            await aws.call(operation, repositoryName="none", **parameters)
    with pytest.raises(RepositoryNotFoundException, match=message):
        await aws.call("DescribeRepositories", repositoryNames=["app", "none"])
    with pytest.raises(
        RepositoryAlreadyExistsException,
        match=r"^The repository with name 'app' already exists in the registry with id '123456789012'$",
    ):
        await aws.call("CreateRepository", repositoryName="app")
    elsewhere = replace(aws.caller, region="eu-west-1")
    assert await aws.call("DescribeRepositories", by=elsewhere) == {"repositories": []}


async def test_they_are_listed_in_pages(aws):
    for name in ("bb", "aa"):
        await aws.call("CreateRepository", repositoryName=name)
    first = await aws.call("DescribeRepositories", maxResults=2)
    rest = await aws.call("DescribeRepositories", maxResults=2, nextToken=first["nextToken"])
    found = [entry["repositoryName"] for entry in first["repositories"] + rest["repositories"]]
    assert found == ["aa", "app", "bb"]
    assert "nextToken" not in rest
    with pytest.raises(InvalidParameterException):
        await aws.call("DescribeRepositories", nextToken="nonsense!")


async def test_one_with_images_goes_by_force_alone_and_with_all_that_is_in_it(aws, image):
    await aws.push(image)
    with pytest.raises(
        RepositoryNotEmptyException,
        match=r"^The repository with name 'app' in registry with id '123456789012' cannot be deleted because it still "
        "contains images$",
    ):
        await aws.call("DeleteRepository", repositoryName="app")
    gone = (await aws.call("DeleteRepository", repositoryName="app", force=True))["repository"]
    assert gone.keys() == {
        "repositoryArn", "registryId", "repositoryName", "repositoryUri", "createdAt", "imageTagMutability",
    }  # fmt: skip
    await aws.call("CreateRepository", repositoryName="app")
    assert (await aws.call("ListImages", repositoryName="app"))["imageIds"] == []
    assert not aws.stores.layers.values


async def test_what_cannot_be_is_refused(aws):
    for parameters in (
        {"encryptionConfiguration": {"encryptionType": "KMS"}},
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}]},
    ):
        with pytest.raises(InvalidParameterException):
            await aws.call("CreateRepository", repositoryName="new", **parameters)
    assert len(aws.stores.repositories.values) == 1


async def test_settings_change_and_show(aws):
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}]
    changed = await aws.call(
        "PutImageTagMutability",
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    assert changed["imageTagMutabilityExclusionFilters"] == filters
    await aws.call(
        "PutImageScanningConfiguration",
        repositoryName="app",
        imageScanningConfiguration={"scanOnPush": True},
    )
    shown = (await aws.call("DescribeRepositories"))["repositories"][0]
    assert shown["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert shown["imageScanningConfiguration"] == {"scanOnPush": True}


async def test_tags(aws):
    named = {"resourceArn": f"{ARN}app"}
    await aws.call("TagResource", **named, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    await aws.call("TagResource", **named, tags=[{"Key": "a", "Value": "3"}])
    await aws.call("UntagResource", **named, tagKeys=["b", "none"])
    assert await aws.call("ListTagsForResource", **named) == {"tags": [{"Key": "a", "Value": "3"}]}
    with pytest.raises(InvalidTagParameterException):
        await aws.call("TagResource", **named, tags=[{"Key": "aws:x", "Value": ""}])
    with pytest.raises(TooManyTagsException):
        await aws.call("TagResource", **named, tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    with pytest.raises(RepositoryNotFoundException):
        await aws.call("ListTagsForResource", resourceArn=f"{ARN}none")
    with pytest.raises(InvalidParameterException):
        await aws.call("ListTagsForResource", resourceArn="nonsense")


POLICY = {
    "Version": "2008-10-17",
    "Statement": [
        {"Sid": "let in", "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "ecr:ListImages"}
    ],
}


async def test_policies_come_and_go(aws):
    missing = (
        "^Repository policy does not exist for the repository with name 'app' in the registry with id '1"
    )
    for operation in ("GetRepositoryPolicy", "DeleteRepositoryPolicy"):
        with pytest.raises(RepositoryPolicyNotFoundException, match=missing):
            await aws.call(operation, repositoryName="app")
    expected = {"registryId": "123456789012", "repositoryName": "app", "policyText": json.dumps(POLICY)}
    for operation in ("SetRepositoryPolicy", "GetRepositoryPolicy", "DeleteRepositoryPolicy"):
        given = {"policyText": json.dumps(POLICY)} if operation.startswith("Set") else {}
        assert await aws.call(operation, repositoryName="app", **given) == expected


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}']
)
async def test_a_policy_that_is_none_is_refused(aws, text):
    with pytest.raises(
        InvalidParameterException,
        match=r"^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'$",
    ):
        await aws.call("SetRepositoryPolicy", repositoryName="app", policyText=text)


async def test_a_policy_lets_another_account_in(aws, image):
    await aws.push(image)
    other = replace(
        aws.caller,
        account_id="210987654321",
        principal_arn="arn:aws:iam::210987654321:root",
        user_id="210987654321",
    )
    named = {"registryId": "123456789012", "repositoryName": "app"}
    with pytest.raises(ServiceException, match="not authorized to perform: ecr:ListImages"):
        await aws.call("ListImages", by=other, **named)
    await aws.call("SetRepositoryPolicy", repositoryName="app", policyText=json.dumps(POLICY))
    assert len((await aws.call("ListImages", by=other, **named))["imageIds"]) == 1
    with pytest.raises(ServiceException, match="not authorized to perform: ecr:DescribeImages"):
        await aws.call("DescribeImages", by=other, **named)

"""Functions of container images, upon an ECR that answers what the test says."""

import hashlib
import json

import pytest

from lambent.artifacts.images.errors import InvalidImageError
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.image import DOCKER_LIST, DOCKER_MANIFEST, ImageOverrides
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.function_images import ImageForbiddenError, ImageMissingError, ImageSourceError

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
BLOB = {"digest": "sha256:" + "a" * 64, "size": 1}
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": BLOB | {"mediaType": "application/vnd.docker.container.image.v1+json"},
        "layers": [BLOB | {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}],
    }
)
HEXADECIMAL = hashlib.sha256(MANIFEST.encode()).hexdigest()


def found(manifest=MANIFEST):
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    return {"images": [{"imageManifest": manifest, "imageId": {"imageDigest": digest}}], "failures": []}


class EcrError(ServiceException):
    def __init__(self, code):
        super().__init__("no")
        self._code = code

    @property
    def code(self):
        return self._code


@pytest.fixture
def ecr(aws):
    aws.others.answers["ecr", "BatchGetImage"] = found()
    return aws.others


async def create(aws, uri=URI, **changes):
    answer = await aws.call(
        "CreateFunction",
        FunctionName="app",
        Role="arn:aws:iam::123456789012:role/works",
        PackageType="Image",
        Code={"ImageUri": uri},
        **changes,
    )
    await aws.settle()
    return answer


async def test_one_is_created_with_the_digest_that_its_tag_has(aws, ecr):
    created = await create(aws)
    assert (created["PackageType"], created["State"], created["CodeSize"]) == ("Image", "Pending", 0)
    assert created["CodeSha256"] == HEXADECIMAL
    assert not created.keys() & {
        "Runtime",
        "Handler",
        "Layers",
        "ImageConfigResponse",
        "RuntimeVersionConfig",
    }
    got = await aws.call("GetFunction", FunctionName="app")
    assert got["Configuration"]["State"] == "Active"
    assert got["Code"] == {
        "RepositoryType": "ECR",
        "ImageUri": URI,
        "ResolvedImageUri": f"{URI.removesuffix(':v1')}@sha256:{HEXADECIMAL}",
    }
    operation, caller, asked = ecr.asked[0]
    assert (operation, caller.service) == ("BatchGetImage", "lambda.amazonaws.com")
    assert caller.source_arn == "arn:aws:lambda:us-east-1:123456789012:function:app"
    assert asked["repositoryName"] == "team/app"
    assert asked["imageIds"] == [{"imageTag": "v1"}]


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:9000", "127.0.0.1:9000", "[::1]:9000"])
async def test_the_registry_is_also_named_by_the_servers_address(aws, ecr, host):
    aws.options["endpoint"] = lambda: "http://127.0.0.1:9000"
    aws.start()
    await create(aws, f"{host}/team/app:v1")
    got = await aws.call("GetFunction", FunctionName="app")
    assert got["Code"]["ResolvedImageUri"] == f"{host}/team/app@sha256:{HEXADECIMAL}"


@pytest.mark.parametrize(
    "uri",
    [
        "nonsense", "app:v1", "docker.io/library/alpine:3", "public.ecr.aws/lambda/python:3.13", "oci:/etc:latest",
        URI.removesuffix(":v1"), URI.replace("us-east-1", "eu-west-1"), "127.0.0.1:9001/app:v1", "",
        "dir:/etc", "oci-archive:/x.tar", "127.0.0.1:4566/../app:v1",
    ],
)  # fmt: skip
async def test_what_names_no_image_here_is_not_valid(aws, ecr, uri):
    expected = "Please provide ImageUri" if not uri else f"Source image {uri} is not valid. Provide a valid"
    with pytest.raises(InvalidParameterValueException) as refused:
        await create(aws, uri)
    assert str(refused.value).startswith(expected)


@pytest.mark.parametrize(
    "answer",
    [
        {"images": [], "failures": [{"failureCode": "ImageNotFound"}]},
        EcrError("RepositoryNotFoundException"),
    ],
)
async def test_an_image_that_does_not_exist(aws, answer):
    aws.others.answers["ecr", "BatchGetImage"] = answer
    with pytest.raises(
        InvalidParameterValueException,
        match=f"^Source image {URI} does not exist. Provide",
    ):
        await create(aws)
    assert await aws.functions.get(aws_id(aws)) is None


def aws_id(aws):
    from lambent.model.function import FunctionId

    return FunctionId(aws.caller.account_id, aws.caller.region, "app")


@pytest.mark.parametrize(
    "manifest",
    [
        json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": []}),
        MANIFEST.replace("rootfs.diff.tar.gzip", "rootfs.diff.tar.zstd"),
        MANIFEST.replace("vnd.docker.container.image.v1+json", "vnd.cncf.helm.config.v1+json"),
    ],
)
async def test_an_index_and_other_media_types_are_not_supported(aws, manifest):
    aws.others.answers["ecr", "BatchGetImage"] = found(manifest)
    with pytest.raises(
        InvalidParameterValueException,
        match=f"^The image manifest, config or layer media type for the source image {URI} is not supported.$",
    ):
        await create(aws)


class Guarded:
    """An ECR whose repository lets Lambda in only once its policy says so."""

    def __init__(self, policy=None, *, settable=True):
        self.policy = policy
        self.settable = settable

    async def __call__(self, service, operation, caller, parameters):
        match operation:
            case "BatchGetImage":
                if self.policy is None or "LambdaECRImageRetrievalPolicy" not in self.policy:
                    raise AccessDeniedException("no")
                return found()
            case "GetRepositoryPolicy":
                if self.policy is None:
                    raise EcrError("RepositoryPolicyNotFoundException")
                return {"policyText": self.policy}
            case "SetRepositoryPolicy":
                if not self.settable:
                    raise AccessDeniedException("no")
                assert caller.service is None
                self.policy = parameters["policyText"]
                return {}
        raise AssertionError(operation)


@pytest.mark.parametrize(
    "policy", [None, '{"Version": "2012-10-17", "Statement": {"Sid": "own", "Effect": "Deny"}}']
)
async def test_lambda_lets_itself_in_where_the_caller_may(aws, policy):
    guarded = Guarded(policy)
    aws.others.__class__ = type("Others", (type(aws.others),), {"__call__": staticmethod(guarded)})
    await create(aws)
    *others, own = json.loads(guarded.policy)["Statement"]
    assert [statement["Sid"] for statement in others] == (["own"] if policy else [])
    assert own["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert own["Condition"] == {
        "StringLike": {"aws:sourceArn": "arn:aws:lambda:us-east-1:123456789012:function:*"}
    }


async def test_without_permission_there_is_no_function(aws):
    guarded = Guarded(settable=False)
    aws.others.__class__ = type("Others", (type(aws.others),), {"__call__": staticmethod(guarded)})
    with pytest.raises(
        AccessDeniedException,
        match=r"^Lambda does not have permission to access the ECR image. Check the ECR permissions.$",
    ):
        await create(aws)


@pytest.mark.parametrize(
    "changes",
    [{"Handler": "a.b"}, {"Runtime": "python3.12"}, {"Layers": ["arn:aws:lambda:us-east-1:1:layer:l:1"]}],
)
async def test_an_image_has_neither_handler_nor_runtime_nor_layers(aws, ecr, changes):
    message = (
        "^Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.$"
    )
    with pytest.raises(InvalidParameterValueException, match=message):
        await create(aws, **changes)
    await create(aws)
    with pytest.raises(InvalidParameterValueException, match=message):
        await aws.call("UpdateFunctionConfiguration", FunctionName="app", **changes)


async def test_overrides_are_shown_and_come_and_go(aws, ecr):
    config = {"EntryPoint": ["sh"], "Command": ["-c", "x"], "WorkingDirectory": "/w"}
    created = await create(aws, ImageConfig=config)
    assert created["ImageConfigResponse"] == {"ImageConfig": config}
    changed = await aws.call(
        "UpdateFunctionConfiguration", FunctionName="app", ImageConfig={"Command": ["y"]}
    )
    assert changed["ImageConfigResponse"] == {"ImageConfig": {"Command": ["y"]}}
    await aws.settle()
    changed = await aws.call("UpdateFunctionConfiguration", FunctionName="app", Timeout=5)
    assert changed["ImageConfigResponse"] == {"ImageConfig": {"Command": ["y"]}}
    await aws.settle()
    assert aws.images.asked[-1].image.overrides == ImageOverrides(command=("y",))
    changed = await aws.call("UpdateFunctionConfiguration", FunctionName="app", ImageConfig={})
    assert "ImageConfigResponse" not in changed


async def test_packages_keep_their_type(aws, ecr):
    await create(aws)
    with pytest.raises(
        InvalidParameterValueException,
        match=r"^Please provide ImageUri when updating a function with packageType Image.$",
    ):
        await aws.call("UpdateFunctionCode", FunctionName="app", ZipFile=b"PK")
    await aws.create("zip")
    with pytest.raises(InvalidParameterValueException, match="ImageConfig"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="zip", ImageConfig={"Command": ["x"]})


async def test_code_is_updated_to_what_the_tag_names_now(aws, ecr):
    await create(aws, ImageConfig={"Command": ["x"]})
    newer = MANIFEST.replace("a" * 64, "b" * 64)
    ecr.answers["ecr", "BatchGetImage"] = found(newer)
    updated = await aws.call("UpdateFunctionCode", FunctionName="app", ImageUri=URI, Publish=True)
    assert updated["CodeSha256"] == hashlib.sha256(newer.encode()).hexdigest()
    assert updated["ImageConfigResponse"] == {"ImageConfig": {"Command": ["x"]}}
    await aws.settle()
    got = await aws.call("GetFunction", FunctionName="app", Qualifier="1")
    assert got["Code"]["ResolvedImageUri"].endswith(updated["CodeSha256"])


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ImageMissingError("x"), "ImageDeleted", "The function is trying to use a deleted image."),
        (
            ImageForbiddenError("x"),
            "ImageAccessDenied",
            "The function does not have permission to access the specified image.",
        ),
        (ImageSourceError("/x"), "InternalError", "The image could not be fetched by this host."),
        (InvalidImageError("it has '..'"), "InvalidImage", "The image cannot be used: it has '..'"),
        (OSError("/host/path"), "InternalError", "The function could not be prepared on this host."),
    ],
)
async def test_an_image_that_cannot_be_pulled_fails_the_function(aws, ecr, error, code, reason):
    aws.images.errors.append(error)
    await create(aws)
    got = (await aws.call("GetFunction", FunctionName="app"))["Configuration"]
    assert (got["State"], got["StateReasonCode"]) == ("Failed", code)
    assert got["StateReason"].startswith(reason)

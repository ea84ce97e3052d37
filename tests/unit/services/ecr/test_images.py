"""Images, tags and layers of repositories."""

import json

import pytest
from images import OCI_INDEX, Image, digest_of, tar_of

from lambent.model.image import OCI_MANIFEST
from lambent.services.ecr.errors import (
    EmptyUploadException,
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageNotFoundException,
    ImageTagAlreadyExistsException,
    InvalidLayerException,
    InvalidLayerPartException,
    InvalidParameterException,
    LayerAlreadyExistsException,
    LayersNotFoundException,
    ReferencedImagesNotFoundException,
    UploadNotFoundException,
)
from lambent.services.ecr.registry import Registry
from lambent.services.ecr.sweep import Sweep

NAMED = {"repositoryName": "app"}
NOWHERE = "sha256:" + "0" * 64


async def test_what_is_pushed_is_given_back(aws, image):
    digest = await aws.push(image)
    assert digest == image.digest
    got = await aws.call("BatchGetImage", **NAMED, imageIds=[{"imageTag": "latest"}, {"imageDigest": digest}])
    assert got["failures"] == []
    assert got["images"][0] == {
        "registryId": "123456789012",
        "repositoryName": "app",
        "imageId": {"imageDigest": digest, "imageTag": "latest"},
        "imageManifest": image.manifest.decode(),
        "imageManifestMediaType": OCI_MANIFEST,
    }
    assert got["images"][1]["imageId"] == {"imageDigest": digest}
    (details,) = (await aws.call("DescribeImages", **NAMED))["imageDetails"]
    pulled_at = details.pop("lastRecordedPullTime")
    assert pulled_at == aws.clock.now()
    assert details == {
        "registryId": "123456789012",
        "repositoryName": "app",
        "imageDigest": digest,
        "imageTags": ["latest"],
        "imageSizeInBytes": len(next(iter(image.blobs.values()))),
        "imagePushedAt": round(aws.clock.now(), 3),
        "imageManifestMediaType": OCI_MANIFEST,
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "imageStatus": "ACTIVE",
    }


async def test_others_are_told(aws, image):
    digest = await aws.push(image)
    await aws.call("BatchGetImage", **NAMED, imageIds=[{"imageTag": "latest"}])
    await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageDigest": digest}])
    told = {"result": "SUCCESS", "repository-name": "app", "image-digest": digest, "image-tag": "latest"}
    assert [json.loads(event["Detail"]) for event in aws.events] == [
        told | {"action-type": "PUSH"},
        told | {"action-type": "DELETE"},
    ]
    assert {(event["Source"], event["DetailType"]) for event in aws.events} == {
        ("aws.ecr", "ECR Image Action")
    }
    assert [(one.name, one.dimensions) for one in aws.metrics.noted] == [
        ("RepositoryPullCount", {"RepositoryName": "app"})
    ]


async def test_a_tag_moves(aws, image):
    first = await aws.push(image)
    second = await aws.push(Image([tar_of({"b": "2"})]))
    listed = (await aws.call("ListImages", **NAMED))["imageIds"]
    assert sorted(listed, key=str) == sorted(
        [{"imageDigest": first}, {"imageDigest": second, "imageTag": "latest"}], key=str
    )
    for status, expected in (("TAGGED", second), ("UNTAGGED", first)):
        for operation, member in (("ListImages", "imageIds"), ("DescribeImages", "imageDetails")):
            found = await aws.call(operation, **NAMED, filter={"tagStatus": status})
            assert [entry["imageDigest"] for entry in found[member]] == [expected]


async def test_an_immutable_tag_does_not(aws, image):
    await aws.push(image)
    await aws.push(image, tag="v1")
    await aws.call(
        "PutImageTagMutability",
        **NAMED,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "la*"}],
    )
    other = Image([tar_of({"b": "2"})])
    with pytest.raises(
        ImageTagAlreadyExistsException,
        match=r"^The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag "
        r"is immutable.$",
    ):
        await aws.push(other, tag="v1")
    assert await aws.push(other, tag="latest") == other.digest


async def test_the_same_again_is_said_to_be_there(aws, image):
    digest = await aws.push(image)
    for tag in (None, "latest"):
        with pytest.raises(ImageAlreadyExistsException, match=f"^Image with digest '{digest}'"):
            await aws.push(image, tag=tag)
    await aws.push(image, tag="other")


async def test_a_manifest_needs_all_that_it_names(aws, image):
    missing = list(image.blobs)
    put = {**NAMED, "imageManifest": image.manifest.decode()}
    with pytest.raises(LayersNotFoundException, match=r"do not exist$") as refused:
        await aws.call("PutImage", **put)
    assert all(digest in str(refused.value) for digest in missing)
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": OCI_MANIFEST, "digest": image.digest, "size": len(image.manifest)}],
        }
    )
    with pytest.raises(ReferencedImagesNotFoundException, match=image.digest):
        await aws.call("PutImage", **NAMED, imageManifest=index)
    await aws.push(image, tag=None)
    await aws.call("PutImage", **NAMED, imageManifest=index, imageTag="many")
    gone = await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageDigest": image.digest}])
    assert gone["failures"][0]["failureCode"] == "ImageReferencedByManifestList"


@pytest.mark.parametrize(
    ("manifest", "constraint"),
    [
        ("nonsense", "Invalid JSON syntax"),
        ("[]", "schemaVersion"),
        ('{"schemaVersion": 1}', "schemaVersion"),
        ('{"schemaVersion": 2, "mediaType": "text/plain"}', "media type"),
        ('{"schemaVersion": 2}', "config is no descriptor"),
        ('{"schemaVersion": 2, "config": {"digest": "x", "size": 1, "mediaType": "m"}}', "digest"),
    ],
)
async def test_what_is_no_manifest_is_refused(aws, manifest, constraint):
    with pytest.raises(
        InvalidParameterException, match=f"^Invalid parameter at 'ImageManifest' .*{constraint}"
    ):
        await aws.call("PutImage", **NAMED, imageManifest=manifest)


async def test_its_kind_must_be_said_by_somebody(aws, image):
    silent = image.manifest.replace(f'"mediaType": "{OCI_MANIFEST}", '.encode(), b"", 1)
    await aws.push(image, tag=None)
    with pytest.raises(
        InvalidParameterException, match=r"^image manifest mediatype not provided in manifest or parameter$"
    ):
        await aws.call("PutImage", **NAMED, imageManifest=silent.decode())
    put = await aws.call(
        "PutImage", **NAMED, imageManifest=silent.decode(), imageManifestMediaType=OCI_MANIFEST
    )
    assert put["image"]["imageId"] == {"imageDigest": digest_of(silent)}


async def test_a_digest_must_be_the_images(aws, image):
    with pytest.raises(ImageDigestDoesNotMatchException):
        await aws.call("PutImage", **NAMED, imageManifest=image.manifest.decode(), imageDigest=NOWHERE)
    with pytest.raises(InvalidParameterException):
        await aws.call(
            "PutImage", **NAMED, imageManifest=image.manifest.decode(), imageManifestMediaType=OCI_INDEX
        )


async def test_images_that_are_not_there(aws, image):
    digest = await aws.push(image)
    wanted = [
        {},
        {"imageDigest": "nonsense"},
        {"imageDigest": NOWHERE},
        {"imageTag": "none"},
        {"imageDigest": NOWHERE, "imageTag": "latest"},
    ]
    for operation in ("BatchGetImage", "BatchDeleteImage"):
        answer = await aws.call(operation, **NAMED, imageIds=wanted)
        assert [(entry["imageId"], entry["failureCode"]) for entry in answer["failures"]] == list(
            zip(
                wanted,
                [
                    "MissingDigestAndTag", "InvalidImageDigest", "ImageNotFound", "ImageNotFound",
                    "ImageTagDoesNotMatchDigest",
                ],
                strict=True,
            )
        )  # fmt: skip
    with pytest.raises(
        ImageNotFoundException,
        match=r"^The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository "
        r"with name 'app' in the registry with id '123456789012'$",
    ):
        await aws.call("DescribeImages", **NAMED, imageIds=[{"imageDigest": digest}, {"imageTag": "none"}])


async def test_deleting_by_tag_takes_the_image_with_its_last_one(aws, image):
    digest = await aws.push(image)
    await aws.push(image, tag="other")
    gone = await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageTag": "other"}])
    assert gone == {"imageIds": [{"imageDigest": digest, "imageTag": "other"}], "failures": []}
    assert (await aws.call("DescribeImages", **NAMED))["imageDetails"][0]["imageTags"] == ["latest"]
    await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageTag": "latest"}])
    assert (await aws.call("DescribeImages", **NAMED))["imageDetails"] == []


async def test_deleting_by_digest_takes_all_tags(aws, image):
    digest = await aws.push(image)
    await aws.push(image, tag="other")
    gone = await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageDigest": digest}])
    assert [entry["imageTag"] for entry in gone["imageIds"]] == ["latest", "other"]
    assert not aws.stores.images.values
    assert not aws.stores.tags.values


# Layers


async def begin(aws):
    return {**NAMED, "uploadId": (await aws.call("InitiateLayerUpload", **NAMED))["uploadId"]}


async def part(aws, upload, first, data):
    last = first + len(data) - 1
    return await aws.call(
        "UploadLayerPart", **upload, partFirstByte=first, partLastByte=last, layerPartBlob=data
    )


async def test_a_layer_comes_in_parts(aws):
    upload, digest = await begin(aws), digest_of(b"abcdef")
    assert (await part(aws, upload, 0, b"abc"))["lastByteReceived"] == 2
    with pytest.raises(InvalidLayerPartException) as refused:
        await part(aws, upload, 5, b"f")
    assert refused.value.members["lastValidByteReceived"] == 2
    await part(aws, upload, 3, b"def")
    with pytest.raises(InvalidLayerException):
        await aws.call("CompleteLayerUpload", **upload, layerDigests=[digest_of(b"other")])
    done = await aws.call("CompleteLayerUpload", **upload, layerDigests=[digest])
    assert done["layerDigest"] == digest
    with pytest.raises(UploadNotFoundException):
        await part(aws, upload, 6, b"g")
    checked = await aws.call(
        "BatchCheckLayerAvailability", **NAMED, layerDigests=[digest, digest_of(b"other"), "nonsense"]
    )
    assert [entry["layerAvailability"] for entry in checked["layers"]] == ["AVAILABLE", "UNAVAILABLE"]
    assert checked["layers"][0]["layerSize"] == 6
    assert checked["failures"][0]["failureCode"] == "InvalidLayerDigest"
    again = await begin(aws)
    await part(aws, again, 0, b"abcdef")
    with pytest.raises(LayerAlreadyExistsException):
        await aws.call("CompleteLayerUpload", **again, layerDigests=[digest])


async def test_uploads_are_of_one_repository_and_not_for_ever(aws):
    await aws.call("CreateRepository", repositoryName="other")
    upload = await begin(aws)
    with pytest.raises(UploadNotFoundException):
        await part(aws, upload | {"repositoryName": "other"}, 0, b"a")
    with pytest.raises(EmptyUploadException):
        await aws.call("CompleteLayerUpload", **upload, layerDigests=[digest_of(b"")])
    aws.clock.advance(90_000)
    await begin(aws)
    with pytest.raises(UploadNotFoundException):
        await part(aws, upload, 0, b"a")
    assert len(aws.contents.incoming) == 1


async def test_a_link_leads_to_a_layer_of_the_repository(aws, image):
    await aws.push(image)
    layer = next(iter(image.blobs))
    link = (await aws.call("GetDownloadUrlForLayer", **NAMED, layerDigest=layer))["downloadUrl"]
    assert link.startswith(f"http://127.0.0.1:9000/_lambent/layers/{layer}?Expires=")
    await aws.call("CreateRepository", repositoryName="other")
    with pytest.raises(Exception, match="does not exist in the repository with name 'other'") as refused:
        await aws.call("GetDownloadUrlForLayer", repositoryName="other", layerDigest=layer)
    assert refused.value.code == "LayersNotFoundException"


async def test_layers_go_when_no_image_has_them(aws, image):
    other = Image([tar_of({"b": "2"})])
    await aws.push(image)
    await aws.push(other, tag="other")
    await aws.call("BatchDeleteImage", **NAMED, imageIds=[{"imageDigest": other.digest}])
    sweep = Sweep(Registry(aws.stores), aws.contents, aws.clock)
    await sweep.sweep()
    assert aws.contents.whole.keys() == image.blobs.keys() | other.blobs.keys()  # they may be of one to come
    aws.clock.advance(4000)
    await sweep.sweep()
    assert aws.contents.whole.keys() == image.blobs.keys()


async def test_who_refers_to_an_image(aws, image):
    await aws.push(image)
    manifest = json.loads(image.manifest)
    subject = {"mediaType": OCI_MANIFEST, "digest": image.digest, "size": len(image.manifest)}
    text = json.dumps(
        manifest | {"subject": subject, "artifactType": "application/sbom", "annotations": {"a": "b"}}
    )
    await aws.call("PutImage", **NAMED, imageManifest=text)
    found = await aws.call("ListImageReferrers", **NAMED, subjectId={"imageDigest": image.digest})
    assert found["referrers"] == [
        {
            "digest": digest_of(text.encode()),
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/sbom",
            "size": len(text),
            "annotations": {"a": "b"},
            "artifactStatus": "ACTIVE",
        }
    ]

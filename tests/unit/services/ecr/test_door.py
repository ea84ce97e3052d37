"""The registry API: who may come in, and what is answered to clients that do odd things."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from images import OCI_INDEX, OCI_MANIFEST, Image, digest_of, tar_of

from lambent.http.message import Request

DATA = b"0123456789"
DIGEST = digest_of(DATA)
UPLOADS = "/v2/app/blobs/uploads/"


@pytest.fixture
def inside(aws):
    """Without asking for a password."""
    aws.stranger = aws.caller
    return aws


def errors(response):
    return [error["code"] for error in json.loads(response.body)["errors"]]


async def password(aws, by=None):
    answer = await aws.call("GetAuthorizationToken", by=by)
    (data,) = answer["authorizationData"]
    assert data["proxyEndpoint"] == "http://127.0.0.1:9000"
    user, _, word = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    return word


def basic(word, user="AWS"):
    return {"authorization": f"Basic {base64.b64encode(f'{user}:{word}'.encode()).decode()}"}


async def test_a_password_opens_the_door(aws):
    assert (await aws.ask("GET", "/v2/", headers=basic(await password(aws)))).status == 200


@pytest.mark.parametrize("header", [None, "Basic nonsense!", "Bearer x", "AWS4-HMAC-SHA256 x"])
async def test_without_one_it_stays_shut(aws, header):
    response = await aws.ask("GET", "/v2/", headers={"authorization": header} if header else {})
    assert (response.status, errors(response)) == (401, ["UNAUTHORIZED"])
    assert ("WWW-Authenticate", 'Basic realm="Amazon ECR",service="ecr.amazonaws.com"') in response.headers


async def test_passwords_are_nobodys_invention_and_not_for_ever(aws):
    word = await password(aws)
    forged = base64.b64encode(base64.b64decode(word).replace(b"123456789012", b"210987654321")).decode()
    for headers in (basic(forged), basic(word, "root"), basic(word[:-8])):
        assert (await aws.ask("GET", "/v2/", headers=headers)).status == 401
    aws.clock.advance(12 * 3600)
    assert (await aws.ask("GET", "/v2/", headers=basic(word))).status == 401


async def test_a_role_may_do_what_its_policies_say_when_it_does_it(aws, image):
    await aws.push(image)
    worker = aws.role("ecr:GetAuthorizationToken", "ecr:BatchGetImage")
    headers = basic(await password(aws, worker))
    assert (await aws.ask("GET", "/v2/app/manifests/latest", headers=headers)).status == 200
    refused = await aws.ask("POST", UPLOADS, headers=headers)
    assert (refused.status, errors(refused)) == (403, ["DENIED"])
    aws.role()
    assert (await aws.ask("GET", "/v2/app/manifests/latest", headers=headers)).status == 403


async def test_aws_own_host_name_says_whose_registry_it_is(aws, image):
    await aws.push(image)
    headers = basic(await password(aws))
    for account, status in (("123456789012", 200), ("210987654321", 403)):
        host = {"host": f"{account}.dkr.ecr.us-east-1.amazonaws.com"}
        assert (await aws.ask("GET", "/v2/app/manifests/latest", headers=headers | host)).status == status
    elsewhere = {"host": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}
    response = await aws.ask("GET", "/v2/app/manifests/latest", headers=headers | elsewhere)
    assert (response.status, errors(response)) == (404, ["NAME_UNKNOWN"])


async def test_an_image_goes_in_and_comes_out(inside, image):
    for digest, blob in image.blobs.items():
        assert (await inside.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 404
        begun = await inside.ask("POST", UPLOADS)
        location = dict(begun.headers)["Location"]
        done = await inside.ask("PUT", f"{location}?digest={digest}", blob)
        assert (done.status, dict(done.headers)["Docker-Content-Digest"]) == (201, digest)
        assert (await inside.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 200
    manifest = {"content-type": OCI_MANIFEST}
    for _ in range(2):  # the same again is as good
        put = await inside.ask("PUT", "/v2/app/manifests/v1", image.manifest, manifest)
        assert (put.status, dict(put.headers)["Docker-Content-Digest"]) == (201, image.digest)
    for reference in ("v1", image.digest):
        got = await inside.ask("GET", f"/v2/app/manifests/{reference}")
        assert (got.body, dict(got.headers)["Content-Type"]) == (image.manifest, OCI_MANIFEST)
    head = await inside.ask("HEAD", "/v2/app/manifests/v1")
    assert (head.status, head.body) == (200, b"")
    assert (await inside.ask("DELETE", f"/v2/app/manifests/{image.digest}")).status == 202
    gone = await inside.ask("GET", "/v2/app/manifests/v1")
    assert (gone.status, errors(gone)) == (404, ["MANIFEST_UNKNOWN"])


async def upload(aws):
    return dict((await aws.ask("POST", UPLOADS)).headers)["Location"]


async def test_chunks_follow_each_other(inside):
    location = await upload(inside)
    first = await inside.ask("PATCH", location, DATA[:4], {"content-range": "0-3"})
    assert (first.status, dict(first.headers)["Range"]) == (202, "0-3")
    wrong = await inside.ask("PATCH", location, DATA[:4], {"content-range": "0-3"})
    assert (wrong.status, dict(wrong.headers)["Range"]) == (416, "0-3")
    status = await inside.ask("GET", location)
    assert (status.status, dict(status.headers)["Range"]) == (204, "0-3")
    done = await inside.ask("PUT", f"{location}?digest={DIGEST}", DATA[4:], {"content-range": "4-9"})
    assert done.status == 201
    got = await inside.ask("GET", f"/v2/app/blobs/{DIGEST}")
    assert b"".join([piece async for piece in got.body]) == DATA


async def test_a_body_that_streams_is_taken_in_pieces(inside):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(1 << 20)

    location = await upload(inside)
    request = Request(
        method="PATCH",
        target=location,
        path=location,
        query="",
        headers={"host": "127.0.0.1:9000", "transfer-encoding": "chunked"},
        body=b"",
        stream=pieces(),
    )
    response = await inside.made.door.handle(request)
    assert dict(response.headers)["Range"] == f"0-{5 * (1 << 20) - 1}"


async def test_one_request_may_be_enough(inside):
    done = await inside.ask("POST", f"{UPLOADS}?digest={DIGEST}", DATA)
    assert (done.status, dict(done.headers)["Location"]) == (201, f"/v2/app/blobs/{DIGEST}")


@pytest.mark.parametrize(
    ("header", "status", "expected", "said"),
    [
        ("bytes=2-4", 206, DATA[2:5], "bytes 2-4/10"),
        ("bytes=8-", 206, DATA[8:], "bytes 8-9/10"),
        ("bytes=-3", 206, DATA[-3:], "bytes 7-9/10"),
        ("bytes=5-99", 206, DATA[5:], "bytes 5-9/10"),
        ("bytes=20-30", 416, b"", "bytes */10"),
        ("lines=1-2", 200, DATA, None),
    ],
)
async def test_ranges(inside, header, status, expected, said):
    await inside.ask("POST", f"{UPLOADS}?digest={DIGEST}", DATA)
    got = await inside.ask("GET", f"/v2/app/blobs/{DIGEST}", headers={"range": header})
    body = got.body if isinstance(got.body, bytes) else b"".join([piece async for piece in got.body])
    assert (got.status, body, dict(got.headers).get("Content-Range")) == (status, expected, said)


async def test_a_layer_is_mounted_where_its_caller_may_read_it(inside):
    await inside.call("CreateRepository", repositoryName="other")
    await inside.ask("POST", f"{UPLOADS}?digest={DIGEST}", DATA)
    target = "/v2/other/blobs/uploads/"
    mounted = await inside.ask("POST", f"{target}?mount={DIGEST}&from=app")
    assert mounted.status == 201
    assert (await inside.ask("HEAD", f"/v2/other/blobs/{DIGEST}")).status == 200
    for query in (f"mount={digest_of(b'none')}&from=app", f"mount={DIGEST}", f"mount={DIGEST}&from=none"):
        assert (await inside.ask("POST", f"{target}?{query}")).status == 202
    inside.stranger = inside.role("ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload")
    assert (await inside.ask("POST", f"{target}?mount={DIGEST}&from=app")).status == 202


async def test_uploads_can_be_given_up(inside):
    location = await upload(inside)
    assert (await inside.ask("DELETE", location)).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        gone = await inside.ask(method, location, DATA)
        assert (gone.status, errors(gone)) == (404, ["BLOB_UPLOAD_UNKNOWN"])
    assert not inside.contents.incoming


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("GET", "/v2/none/manifests/v1", b"", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/app/manifests/none", b"", 404, "MANIFEST_UNKNOWN"),
        ("GET", f"/v2/app/blobs/{DIGEST}", b"", 404, "BLOB_UNKNOWN"),
        ("GET", "/v2/app/blobs/nonsense", b"", 400, "DIGEST_INVALID"),
        ("GET", "/v2/UPPER/manifests/v1", b"", 400, "NAME_INVALID"),
        ("GET", "/v2/app/../x/manifests/v1", b"", 400, "NAME_INVALID"),
        ("GET", "/v2/app/nothing", b"", 404, "UNSUPPORTED"),
        ("DELETE", f"/v2/app/blobs/{DIGEST}", b"", 405, "UNSUPPORTED"),
        ("PUT", "/v2/app/manifests/v1", b"nonsense", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/app/manifests/v1", b"\xff", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/app/manifests/sha256:x", b"{}", 400, "DIGEST_INVALID"),
        ("PUT", "/v2/app/manifests/v1", bytes(5 << 20), 413, "SIZE_INVALID"),
        ("POST", f"{UPLOADS}?digest={DIGEST}", b"other", 400, "DIGEST_INVALID"),
        ("POST", "/v2/none/blobs/uploads/", b"", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/app/tags/list?n=x", b"", 400, "PAGINATION_NUMBER_INVALID"),
    ],
)
async def test_errors_have_the_specifications_form(inside, method, target, body, status, code):
    response = await inside.ask(method, target, body)
    assert (response.status, errors(response)) == (status, [code])
    assert ("Docker-Distribution-Api-Version", "registry/2.0") in response.headers


async def test_tags_come_in_pages(inside, image):
    for tag in ("b", "a", "c"):
        await inside.push(image, tag=tag)
    whole = await inside.ask("GET", "/v2/app/tags/list")
    assert json.loads(whole.body) == {"name": "app", "tags": ["a", "b", "c"]}
    first = await inside.ask("GET", "/v2/app/tags/list?n=2")
    link = dict(first.headers)["Link"]
    assert link == '</v2/app/tags/list?n=2&last=b>; rel="next"'
    rest = await inside.ask("GET", link[1 : link.index(">")])
    assert json.loads(rest.body)["tags"] == ["c"]
    assert "Link" not in dict(rest.headers)
    catalog = await inside.ask("GET", "/v2/_catalog")
    assert json.loads(catalog.body) == {"repositories": ["app"]}


async def test_an_immutable_tag_is_told_of_as_such(inside, image):
    await inside.push(image, tag="v1")
    await inside.call("PutImageTagMutability", repositoryName="app", imageTagMutability="IMMUTABLE")
    other = Image([tar_of({"b": "2"})])
    for digest, blob in other.blobs.items():
        await inside.upload(blob, digest)
    response = await inside.ask("PUT", "/v2/app/manifests/v1", other.manifest, {"content-type": OCI_MANIFEST})
    assert (response.status, errors(response)) == (400, ["TAG_INVALID"])


async def test_what_refers_to_an_image_is_an_index(inside, image):
    empty = await inside.ask("GET", f"/v2/app/referrers/{image.digest}")
    assert json.loads(empty.body) == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


async def test_links_to_layers_are_nobodys_invention(inside, image):
    await inside.push(image)
    layer, blob = next(iter(image.blobs.items()))
    answer = await inside.call("GetDownloadUrlForLayer", repositoryName="app", layerDigest=layer)
    path, _, query = answer["downloadUrl"].partition("//")[2].partition("?")

    async def follow(query, method="GET"):
        request = Request(
            method=method, target="", path="/" + path.partition("/")[2], query=query, headers={}, body=b""
        )
        return await inside.made.downloads.download(request)

    assert b"".join([piece async for piece in (await follow(query)).body]) == blob
    assert (await follow(query, "POST")).status == 405
    assert (await follow(query.replace("Expires=", "Expires=9"))).status == 403
    inside.clock.advance(4000)
    assert (await follow(query)).status == 403


async def test_a_caller_of_another_partition_has_no_registry_here(aws):
    china = replace(aws.caller, region="cn-north-1", partition="aws-cn")
    headers = basic(await password(aws, china))
    host = {"host": "123456789012.dkr.ecr.us-east-1.amazonaws.com"}
    assert (await aws.ask("GET", "/v2/", headers=headers | host)).status == 403

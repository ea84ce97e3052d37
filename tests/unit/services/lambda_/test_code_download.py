from typing import Any
from urllib.parse import urlsplit

import pytest

from lambent.http.message import Request, Response


async def fetch(aws: Any, url: str, method: str = "GET") -> Response:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}"
    request = Request(method, target, parts.path, parts.query, {}, b"")
    response: Response = await aws.lambda_.downloads.download(request)
    if not isinstance(response.body, bytes):  # in pieces: many slow readers must not hold a package each
        response.body = b"".join([piece async for piece in response.body])
        assert ("Content-Length", str(len(response.body))) in response.headers
    return response


async def test_a_link_gives_the_package_without_credentials(aws: Any, new_zip: Any) -> None:
    await aws.create(Code={"ZipFile": new_zip({"a": "b"})})
    code = (await aws.call("GetFunction", FunctionName="hello"))["Code"]
    assert code["RepositoryType"] == "S3"
    assert code["Location"].startswith("http://127.0.0.1:4566/_lambent/code/")
    response = await fetch(aws, code["Location"])
    assert (response.status, response.body) == (200, new_zip({"a": "b"}))
    assert ("Content-Type", "application/zip") in response.headers


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Signature=", "Signature=0"),
        ("Expires=1", "Expires=2"),
        ("Signature", "Nothing"),
        ("Expires", "x"),
        ("code/", "code/0"),
    ],
)
async def test_a_link_that_was_changed_gives_nothing(aws: Any, old: str, new: str) -> None:
    await aws.create()
    url = (await aws.call("GetFunction", FunctionName="hello"))["Code"]["Location"]
    assert old in url
    assert (await fetch(aws, url.replace(old, new, 1))).status == 403


async def test_a_link_ends(aws: Any) -> None:
    await aws.create()
    url = (await aws.call("GetFunction", FunctionName="hello"))["Code"]["Location"]
    aws.clock.advance(599)
    assert (await fetch(aws, url)).status == 200
    aws.clock.advance(2)
    assert (await fetch(aws, url)).status == 403


async def test_only_what_exists_is_read_and_only_read(aws: Any) -> None:
    await aws.create()
    url = (await aws.call("GetFunction", FunctionName="hello"))["Code"]["Location"]
    assert (await fetch(aws, url, "POST")).status == 405
    aws.artifacts.zips.clear()
    assert (await fetch(aws, url)).status == 404

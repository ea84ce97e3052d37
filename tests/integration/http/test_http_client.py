"""The client against servers that behave, and that do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lambent.http.client import RequestFailedError, request

Serve = Callable[[bytes], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server that answers every connection with these bytes, and returns its URL; what came is in
    `serve.received`."""
    servers = []

    async def start(answer: bytes, *, closes: bool = True) -> str:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            start.received = await reader.readuntil(b"\r\n\r\n")
            length = int(start.received.lower().partition(b"content-length: ")[2].split()[0])
            start.received += await reader.readexactly(length)
            writer.write(answer)
            if closes:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


async def post(url: str, body: bytes = b"", seconds: float = 5.0, **headers: str):
    return await request("POST", url, headers=headers, body=body, seconds=seconds)


async def test_a_request_goes_out_whole_and_its_answer_comes_back(serve):
    url = await serve(b"HTTP/1.1 201 Created\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nok and more")
    answer = await post(f"{url}/a%20b?c=d#e", b"body", Accept="x/y")
    assert (answer.status, answer.body) == (201, b"ok")
    assert ("x-answer", "yes") in answer.headers
    head, _, body = serve.received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAccept: x/y\r\n" in head
    assert body == b"body"


async def test_answers_in_chunks_and_answers_until_the_end_are_read(serve):
    chunked = await serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", closes=False
    )
    assert (await post(chunked)).body == b"abcde"
    until_the_end = await serve(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    assert (await post(until_the_end)).body == b"all of it"


async def test_a_redirect_is_an_answer(serve):
    url = await serve(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    assert (await post(url)).status == 302


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"SSH-2.0-OpenSSH\r\n"])
async def test_what_is_no_answer_is_told(serve, answer):
    with pytest.raises(RequestFailedError):
        await post(await serve(answer))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 800_000,
    ],
    ids=["head", "trailers"],
)
async def test_an_answer_that_does_not_end(serve, answer):
    with pytest.raises(RequestFailedError, match="does not end"):
        await post(await serve(answer))


async def test_a_server_that_says_nothing_is_left(serve):
    with pytest.raises(RequestFailedError, match=r"no answer within 0\.05 s"):
        await post(await serve(b"HTTP/1.1 200 OK\r\n", closes=False), seconds=0.05)


async def test_nobody_there(serve):
    url = await serve(b"")
    closed = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    with pytest.raises(RequestFailedError):
        await post(f"http://127.0.0.1:{port}")
    with pytest.raises(RequestFailedError):
        await post(url.replace("http://", "https://"))
    with pytest.raises(RequestFailedError):
        await post("http://nobody.invalid/")


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[::ffff:169.254.169.254]"]
)
async def test_addresses_that_are_not_spoken_to(host):
    with pytest.raises(RequestFailedError, match="no address that may be spoken to"):
        await post(f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize("url", ["ftp://host/", "http://", "/path", "file:///etc/passwd"])
async def test_what_is_no_url_of_http(url):
    with pytest.raises(ValueError, match="not a URL of HTTP"):
        await post(url)


async def test_headers_cannot_be_smuggled_in(serve):
    with pytest.raises(ValueError, match="line break"):
        await post(await serve(b""), **{"X-A": "b\r\nX-C: d"})

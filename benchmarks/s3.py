"""Objects of 1 MB put and read, beside plain files written and read through the same HTTP server.

Run: python -m benchmarks.s3 [--seconds 2] [--rounds 3] [--clients 4] [--size BYTES] [--large MIB]

The floor takes a body as it arrives and writes it to a file, and sends files back: no signature, no digest, no fsync,
no database. Ours verifies the URL's signature, computes MD5 and CRC-32, syncs the file, its directory and the
database, and answers then. With --size, objects of another size; small ones have no file, and are synced with the
database alone. With --large, one object of that size, and by how much the server's memory grew.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import uvloop
from botocore.config import Config

from benchmarks.cpu import cpu_seconds, rss_bytes
from lambent.cli.server_process import ServerProcess
from lambent.http.limits import Limits
from lambent.http.listener import HttpListener
from lambent.http.message import Request, Response

SIZE = 1_000_000
LEAST = 0.6
"""Of the floor: what issue 5 asks for."""
_PIECES_AT_ONCE = 8
_PIECE = 512 * 1024


def serve_files(directory: Path, port: Any) -> None:
    """The floor, in a process of its own."""

    def read(path: Path) -> bytes:
        return path.read_bytes()

    def write(descriptor: int, pieces: list[bytes]) -> None:
        os.writev(descriptor, pieces)

    async def handler(request: Request) -> Response:
        path = directory / request.path.strip("/").replace("/", "-")
        if request.method == "GET":
            return Response(200, [], await asyncio.to_thread(read, path))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if request.stream is None:
            write(descriptor, [request.body])
            os.close(descriptor)
            return Response(200)
        pieces: list[bytes] = []
        async for piece in request.stream:
            pieces.append(piece)
            if len(pieces) == _PIECES_AT_ONCE:
                await asyncio.to_thread(write, descriptor, pieces)
                pieces = []
        await asyncio.to_thread(write, descriptor, pieces)
        os.close(descriptor)
        return Response(200)

    async def serve() -> None:
        listener = HttpListener(
            handler, limits=Limits(), streams=lambda method, target, headers: method == "PUT"
        )
        await listener.start()
        port.value = listener.addresses[0][1]
        await asyncio.Event().wait()

    uvloop.run(serve())


@contextmanager
def floor(directory: Path) -> Iterator[str]:
    port = multiprocessing.Value("i", 0)
    process = multiprocessing.Process(target=serve_files, args=(directory, port), daemon=True)
    process.start()
    while not port.value:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port.value}"
    process.terminate()
    process.join()


async def load(
    requests: Callable[[int], tuple[str, bytes]], host: str, seconds: float, clients: int
) -> float:
    """Requests per second of clients that each keep a connection and wait for every answer."""
    address, _, port = host.partition(":")
    numbers = itertools.count()
    done = 0
    until = time.perf_counter() + seconds

    async def run() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(address, int(port), limit=4 * SIZE)
        while time.perf_counter() < until:
            head, body = requests(next(numbers))
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(clients)))
    return done / (time.perf_counter() - began)


def crc32_of(body: bytes) -> str:
    return b64encode(crc32(body).to_bytes(4, "big")).decode()


def requests_of(urls: list[str], method: str, body: bytes) -> Callable[[int], tuple[str, bytes]]:
    """Uploads bring a CRC-32, as those of SDKs do."""
    more = (
        f"Content-Length: {len(body)}\r\nx-amz-checksum-crc32: {crc32_of(body)}\r\n"
        if method == "PUT"
        else ""
    )

    def request(number: int) -> tuple[str, bytes]:
        _, _, rest = urls[number % len(urls)].partition("//")
        host, _, path = rest.partition("/")
        return f"{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n", body

    return request


def measure(
    server: ServerProcess, s3: Any, seconds: float, rounds: int, clients: int, size: int, bare: str
) -> bool:
    body = os.urandom(size)
    met = True
    checksum = {"ChecksumCRC32": crc32_of(body)}
    for method, operation, more in (("PUT", "put_object", checksum), ("GET", "get_object", {})):
        named = [{"Bucket": "bench", "Key": f"k/{number}", **more} for number in range(32)]
        ours = [s3.generate_presigned_url(operation, Params=one) for one in named]
        plain = [f"{bare}/k/{number}" for number in range(32)]
        rates: dict[str, list[float]] = {"ours": [], "files": []}
        sent = body if method == "PUT" else b""
        cpu_ms = []
        for _ in range(rounds):
            for name, urls in (("ours", ours), ("files", plain)):
                host = urls[0].partition("//")[2].partition("/")[0]
                cpu_before = cpu_seconds(server.pid)
                rate = uvloop.run(load(requests_of(urls, method, sent), host, seconds, clients))
                rates[name].append(rate)
                if name == "ours":
                    cpu_ms.append((cpu_seconds(server.pid) - cpu_before) / (rate * seconds) * 1000)
        mine, theirs = statistics.median(rates["ours"]), statistics.median(rates["files"])
        ratio = mine / theirs
        met = met and (size != SIZE or ratio >= LEAST)
        target = f" (target {LEAST})" if size == SIZE else ""
        print(
            f"{method}: {mine:7.0f} objects/s of {statistics.median(cpu_ms):.2f} ms of CPU,"
            f" plain files {theirs:7.0f}, ratio {ratio:.2f}{target}"
        )
    return met


def measure_large(server: ServerProcess, s3: Any, mib: int) -> None:
    peak = before = rss_bytes(server.pid)
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.05):
            peak = max(peak, rss_bytes(server.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(mib):
            yield b"x" * 1024 * 1024

    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bench", "Key": "large"})
    host, _, path = url.partition("//")[2].partition("/")

    async def put() -> None:
        address, _, port = host.partition(":")
        reader, writer = await asyncio.open_connection(address, int(port))
        writer.write(
            f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {mib * 1024 * 1024}\r\n\r\n".encode()
        )
        async for piece in pieces():
            writer.write(piece)
            await writer.drain()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()

    began = time.perf_counter()
    asyncio.run(put())
    put_seconds = time.perf_counter() - began
    began = time.perf_counter()
    body = s3.get_object(Bucket="bench", Key="large")["Body"]
    while body.read(_PIECE):
        pass
    get_seconds = time.perf_counter() - began
    ended.set()
    watcher.join()
    grown = (peak - before) / 1024 / 1024
    rates = f"put {mib / put_seconds:.0f} MiB/s, get {mib / get_seconds:.0f} MiB/s"
    print(f"{mib} MiB: {rates}, memory grew by {grown:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--size", type=int, default=SIZE, metavar="BYTES")
    parser.add_argument("--large", type=int, default=0, metavar="MIB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data, plain = Path(directory) / "data", Path(directory) / "plain"
        plain.mkdir()
        server = ServerProcess.start(data, 0)
        try:
            s3 = boto3.client(
                "s3",
                endpoint_url=server.endpoint,
                region_name="us-east-1",
                aws_access_key_id=server.access_key_id,
                aws_secret_access_key=server.secret_access_key,
                config=Config(signature_version="s3v4"),
            )
            s3.create_bucket(Bucket="bench")
            with floor(plain) as bare:
                met = measure(server, s3, given.seconds, given.rounds, given.clients, given.size, bare)
            if given.large:
                measure_large(server, s3, given.large)
        finally:
            server.stop()
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()

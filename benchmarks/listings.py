"""Listings of a bucket of 1,000,000 keys, beside those of one of 1,000, over boto3.

Run: python -m benchmarks.listings [--keys 1000000] [--rounds 20]

Keys are `year/month/day/number` and `flat-number`, half each, put into the store while no server runs. Prints medians
of one request, and the ratio of the large bucket to the small one: what does not slow down stays near 1.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from lambent.base.clock import SystemClock
from lambent.cli.server_process import ServerProcess
from lambent.model.stored_object import NULL_VERSION, ObjectVersion
from lambent.store.sql.database import Connection
from lambent.store.sql.objects import put_version
from lambent.store.sqlite.database import SqliteDatabase

SMALL = 1000
_TOGETHER = 20_000
_SLOWEST = 2.0
"""The most that the large bucket may take of the small one's time."""


def keys(count: int) -> Iterator[str]:
    for number in range(count // 2):
        yield f"{2000 + number % 20}/{number % 12 + 1:02}/{number % 28 + 1:02}/{number:07}"
        yield f"flat-{number:07}"


async def fill(path: Path, bucket: str, count: int) -> None:
    database = SqliteDatabase(path)
    await asyncio.to_thread(database.open)
    now = SystemClock().now()
    waiting = keys(count)
    while some := list(itertools.islice(waiting, _TOGETHER)):

        def work(connection: Connection, some: list[str] = some) -> None:
            for key in some:
                version = ObjectVersion(
                    bucket=bucket, key=key, version_id=NULL_VERSION, modified_at=now, size=0, etag="0" * 32
                )
                put_version(connection, version, None)

        await database.write(work)
    await asyncio.to_thread(database.close)


def client_of(server: ServerProcess) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )


def listings(s3: Any, count: int) -> dict[str, Callable[[str], Any]]:
    """Each is one request, from the middle of what there is where it says so."""
    middle = f"flat-{count // 4:07}"
    tokens: dict[str, str] = {}

    def go_on(bucket: str) -> Any:
        if bucket not in tokens:
            page = s3.list_objects_v2(Bucket=bucket, StartAfter=middle, MaxKeys=10)
            tokens[bucket] = page["NextContinuationToken"]
        return s3.list_objects_v2(Bucket=bucket, ContinuationToken=tokens[bucket])

    return {
        "100 keys, from the first": lambda bucket: s3.list_objects_v2(Bucket=bucket, MaxKeys=100),
        "100 keys, from the middle": lambda bucket: s3.list_objects_v2(
            Bucket=bucket, StartAfter=middle, MaxKeys=100
        ),
        "a token": go_on,
        "years (delimiter)": lambda bucket: s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=25),
        "days (prefix, delimiter)": lambda bucket: s3.list_objects_v2(
            Bucket=bucket, Prefix="2004/05/", Delimiter="/"
        ),
        "100 keys, version by version": lambda bucket: s3.list_object_versions(
            Bucket=bucket, KeyMarker=middle, MaxKeys=100
        ),
        "nothing": lambda bucket: s3.list_objects_v2(Bucket=bucket, Prefix="none/"),
    }


def median_ms(ask: Callable[[str], Any], bucket: str, rounds: int) -> float:
    ask(bucket)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask(bucket)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def measure(s3: Any, count: int, rounds: int) -> bool:
    small, large = listings(s3, SMALL), listings(s3, count)
    met = True
    for name, ask in large.items():
        before, after = median_ms(small[name], "small", rounds), median_ms(ask, "large", rounds)
        met = met and after / before <= _SLOWEST
        print(
            f"{name:30} {before:6.1f} ms of {SMALL:,} keys, {after:6.1f} ms of {count:,}: {after / before:.2f}"
        )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        server = ServerProcess.start(data, 0)
        s3 = client_of(server)
        for bucket in ("small", "large"):
            s3.create_bucket(Bucket=bucket)
        server.stop()
        began = time.perf_counter()
        asyncio.run(fill(data / "lambent.db", "small", SMALL))
        asyncio.run(fill(data / "lambent.db", "large", given.keys))
        print(f"{given.keys:,} keys put in {time.perf_counter() - began:.0f} s")
        server = ServerProcess.start(data, 0)
        try:
            met = measure(client_of(server), given.keys, given.rounds)
        finally:
            server.stop()
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()

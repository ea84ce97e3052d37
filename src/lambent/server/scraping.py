"""GET /metrics: what this server counts, for a Prometheus on the same machine."""

import contextlib
import os
import resource
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from lambent.base.clock import Clock
from lambent.http.locality import is_own_request
from lambent.http.message import Request, Response
from lambent.server.queue_depths import QueueDepth
from lambent.services.cloudwatch.families import Family, Reading, Totals, families
from lambent.services.cloudwatch.prometheus import CONTENT_TYPE, exposition
from lambent.store.ports.errors import StoreError
from lambent.wire.s3_hosts import bucket_of_host

PATH = "/metrics"
_STATM = Path("/proc/self/statm")


class Environments(Protocol):
    def counts(self) -> Mapping[str, int]:
        """How many execution environments there are, by state."""
        ...


def is_scrape(request: Request) -> bool:
    """Unsigned, and of no host that is a bucket's or a function's. The signed ones are for a bucket named metrics."""
    host = request.headers.get("host", "")
    return (
        request.path == PATH
        and request.method in ("GET", "HEAD")
        and "authorization" not in request.headers
        and "X-Amz-" not in request.query
        and ".lambda-url." not in host
        and bucket_of_host(host) is None
    )


class Queues(Protocol):
    async def read(self) -> Mapping[str, QueueDepth]:
        """By name. Raises StoreError."""
        ...


class Scraping:
    def __init__(self, totals: Totals, environments: Environments, queues: Queues, clock: Clock) -> None:
        self._totals = totals
        self._environments = environments
        self._queues = queues
        self._clock = clock
        self._started_at = clock.now()

    async def answer(self, request: Request) -> Response:
        if not is_own_request(request):
            text = "Metrics are for this machine only: ask from it, at localhost or its address.\n"
            return Response(403, [("Content-Type", "text/plain; charset=utf-8")], text.encode())
        text = exposition(*await self.read())
        return Response(200, [("Content-Type", CONTENT_TYPE)], text.encode())

    async def read(self) -> tuple[list[Family], list[Reading]]:
        """Without the database, everything but the queues."""
        queues: Mapping[str, QueueDepth] = {}
        with contextlib.suppress(StoreError):
            queues = await self._queues.read()
        return families(self._totals), [*self._readings(), *_queued(queues)]

    def _readings(self) -> Iterator[Reading]:
        yield Reading(
            name="lambent_info",
            says="Which Lambent this is.",
            value=1.0,
            labels=(("version", version("lambent")),),
        )
        yield Reading(
            name="lambent_uptime_seconds",
            says="Since this server started.",
            value=self._clock.now() - self._started_at,
        )
        for state, count in self._environments.counts().items():
            yield Reading(
                name="lambent_environments",
                says="Execution environments.",
                value=float(count),
                labels=(("state", state),),
            )
        pages = int(_STATM.read_text().split()[1])
        yield Reading(
            name="process_resident_memory_bytes",
            says="Resident memory of the server itself.",
            value=float(pages * os.sysconf("SC_PAGE_SIZE")),
        )
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield Reading(
            name="process_cpu_seconds_total",
            says="CPU time of the server itself.",
            value=used.ru_utime + used.ru_stime,
            monotonic=True,
        )
        yield Reading(
            name="process_start_time_seconds",
            says="When this server started, in seconds since the epoch.",
            value=self._started_at,
        )


def _queued(queues: Mapping[str, QueueDepth]) -> Iterator[Reading]:
    for queue, depth in queues.items():
        yield Reading(
            name="lambent_queued",
            says="What waits in the queues on disk, of all nodes together.",
            value=float(depth.waiting),
            labels=(("queue", queue),),
        )
    for queue, depth in queues.items():
        yield Reading(
            name="lambent_queued_late_seconds",
            says="How long what is due first in a queue on disk has been due.",
            value=depth.late_seconds,
            labels=(("queue", queue),),
        )

"""Which requests are scrapes, and who gets an answer."""

import pytest

from lambent.base.clock import ManualClock
from lambent.http.message import Request
from lambent.server.queue_depths import QueueDepth
from lambent.server.scraping import Scraping, is_scrape
from lambent.store.ports.errors import StoreError


class Queues:
    """`away`: the database is."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    async def read(self) -> dict[str, QueueDepth]:
        if self._away:
            raise StoreError("the database is away")
        return {"event invocations": QueueDepth(waiting=7, late_seconds=2.5)}


class NoEnvironments:
    def counts(self) -> dict[str, int]:
        return {"idle": 2, "busy": 1}


def request(
    path: str = "/metrics", *, method: str = "GET", query: str = "", peer: str = "127.0.0.1", **headers: str
) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, path, query, {"host": "localhost:9000", **named}, b"", peer)


@pytest.mark.parametrize(
    ("asked", "scrape"),
    [
        (request(), True),
        (request(method="HEAD"), True),
        (request(host="10.0.0.7:9000"), True),
        (request("/metrics/"), False),
        (request(method="PUT"), False),
        (request(authorization="AWS4-HMAC-SHA256 …"), False),
        (request(query="X-Amz-Signature=x"), False),
        (request(host="bucket.localhost:9000"), False),
        (request(host="bucket.s3.us-east-1.amazonaws.com"), False),
        (request(host="abc.lambda-url.us-east-1.localhost:9000"), False),
    ],
)
def test_a_scrape_is_of_nobody_else(asked: Request, scrape: bool) -> None:
    assert is_scrape(asked) is scrape


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(), 200),
        (request(peer="::1"), 200),
        (request(peer="10.0.0.7"), 403),
        (request(peer=""), 403),
        (request(host="rebound.example"), 403),
        (request(origin="https://page.example"), 403),
        (request(sec_fetch_site="cross-site"), 403),
    ],
)
async def test_only_this_machine_is_answered(asked: Request, status: int) -> None:
    answer = await Scraping({}, NoEnvironments(), Queues(), ManualClock()).answer(asked)
    assert answer.status == status
    assert (b'lambent_environments{state="idle"} 2.0' in bytes(answer.body)) == (status == 200)  # type: ignore[arg-type]


@pytest.mark.parametrize("away", [False, True])
async def test_what_waits_is_told_while_there_is_a_database(away: bool) -> None:
    answer = await Scraping({}, NoEnvironments(), Queues(away=away), ManualClock()).answer(request())
    body = bytes(answer.body)  # type: ignore[arg-type]
    assert (b'lambent_queued{queue="event invocations"} 7.0' in body) == (not away)
    assert (b'lambent_queued_late_seconds{queue="event invocations"} 2.5' in body) == (not away)
    assert b"lambent_uptime_seconds" in body

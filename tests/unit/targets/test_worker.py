from dataclasses import replace

import pytest

from lambent.base.clock import ManualClock
from lambent.model.delivery import Delivery
from lambent.model.error import AccessDeniedException, ServiceException, ValidationException
from lambent.targets.failure import DeliveryFailedError, failure_of
from lambent.targets.worker import DeliveryWorker


class TooManyRequestsException(ServiceException):
    pass


class KmsAccessDenied(ServiceException):
    pass


class KmsNotFound(ServiceException):
    pass


class QueueDoesNotExist(ServiceException):
    pass


class MemoryDeliveries:
    """As much of TargetDeliveryStore as a worker calls."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.waiting = list(deliveries)
        self.claimed: list[Delivery] = []

    async def claim(self, queue, *, now, owner, limit):
        due = [each for each in self.waiting if each.due_at <= now][:limit]
        self.waiting = [each for each in self.waiting if each not in due]
        self.claimed += due
        return due

    async def complete(self, delivery, *, owner):
        self.claimed.remove(delivery)

    async def hasten(self, queue, *, now, latest):
        late = [each for each in self.waiting if each.due_at > latest]
        self.waiting = [replace(each, due_at=now) if each in late else each for each in self.waiting]
        return len(late)

    async def retry(self, delivery, *, owner):
        self.claimed = [each for each in self.claimed if each.number != delivery.number]
        self.waiting.append(delivery)


class Courier:
    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.outcomes: list[str] = []
        self.letters = []

    async def deliver(self, delivery):
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure

    async def bury(self, letter):
        self.letters.append(letter)

    def tell(self, delivery, outcome):
        self.outcomes.append(outcome)


def delivery(**target) -> Delivery:
    return Delivery(
        number=1,
        queue="events",
        account_id="123456789012",
        region="eu-west-1",
        source_arn="arn",
        target={"Arn": "a", **target},
        payload=b"",
        accepted_at=100.0,
        due_at=100.0,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


async def run(store, courier, clock, times: int = 1) -> None:
    worker = DeliveryWorker("events", store, courier, clock, base_seconds=1.0)
    for _ in range(times):
        await worker.run_due()
        await worker.finish(5)
        clock.advance(1000.0)


async def test_what_is_delivered_is_forgotten(clock):
    store, courier = MemoryDeliveries(delivery()), Courier()
    await run(store, courier, clock)
    assert (store.waiting, store.claimed, courier.outcomes) == ([], [], ["delivered"])


async def test_what_may_pass_is_tried_until_it_does(clock):
    again = DeliveryFailedError("THROTTLING", "slow down", retriable=True)
    store, courier = MemoryDeliveries(delivery()), Courier(again, RuntimeError("a bug"), None)
    await run(store, courier, clock, times=3)
    assert courier.outcomes == ["retried", "retried", "delivered"]
    assert (store.waiting, store.claimed, courier.letters) == ([], [], [])


async def test_what_is_exhausted_becomes_a_dead_letter(clock):
    again = DeliveryFailedError("THROTTLING", "slow down", retriable=True)
    store = MemoryDeliveries(delivery(RetryPolicy={"MaximumRetryAttempts": 1}))
    courier = Courier(again, again)
    await run(store, courier, clock, times=3)
    assert courier.outcomes == ["retried", "failed"]
    (letter,) = courier.letters
    assert (letter.failure.code, letter.exhausted) == ("THROTTLING", "MaximumRetryAttempts")
    assert letter.delivery == replace(
        delivery(RetryPolicy={"MaximumRetryAttempts": 1}), attempts=1, due_at=letter.delivery.due_at
    )
    assert (store.waiting, store.claimed) == ([], [])


async def test_what_cannot_even_become_a_dead_letter_is_forgotten(clock):
    class Careless(Courier):
        async def bury(self, letter):
            raise RuntimeError("a bug")

    store = MemoryDeliveries(delivery())
    await run(store, Careless(DeliveryFailedError("NO_PERMISSIONS", "no")), clock)
    assert (store.waiting, store.claimed) == ([], [])


async def test_what_is_refused_becomes_a_dead_letter_at_once(clock):
    courier = Courier(DeliveryFailedError("NO_PERMISSIONS", "no"))
    await run(MemoryDeliveries(delivery()), courier, clock)
    assert courier.outcomes == ["failed"]
    assert courier.letters[0].exhausted is None


@pytest.mark.parametrize(
    ("error", "code", "retriable"),
    [
        (AccessDeniedException("no"), "NO_PERMISSIONS", False),
        (KmsAccessDenied("no"), "NO_PERMISSIONS", False),
        (KmsNotFound("no"), "NO_RESOURCE", False),
        (QueueDoesNotExist("no"), "NO_RESOURCE", False),
        (TooManyRequestsException("slow"), "THROTTLING", True),
        (ValidationException("bad"), "INVALID_PARAMETER", False),
        (ServiceException("hm"), "ERROR_FROM_TARGET", True),
    ],
)
def test_errors_of_services_in_the_terms_of_dead_letters(error, code, retriable):
    failure = failure_of(error)
    assert (failure.code, failure.retriable, failure.cause) == (code, retriable, error.code)


AGAIN = DeliveryFailedError("THROTTLING", "slow down", retriable=True)


async def test_a_clock_that_is_set_forward_makes_no_delivery_too_old(clock):
    store = MemoryDeliveries(delivery(RetryPolicy={"MaximumEventAgeInSeconds": 3600}))
    courier = Courier(AGAIN, AGAIN, AGAIN, None)
    worker = DeliveryWorker("events", store, courier, clock, base_seconds=1.0)
    for _ in range(3):
        await worker.run_due()
        clock.set_by(86_400.0)  # while it is under way
        await worker.finish(5)
        clock.advance(10.0)
    await worker.run_due()
    await worker.finish(5)
    assert courier.outcomes == ["retried", "retried", "retried", "delivered"]


async def test_a_clock_that_is_set_forward_spares_no_delivery_its_age(clock):
    store = MemoryDeliveries(delivery(RetryPolicy={"MaximumEventAgeInSeconds": 3600}))
    courier = Courier(AGAIN, AGAIN)
    worker = DeliveryWorker("events", store, courier, clock, base_seconds=1.0)
    clock.set_by(86_400.0)
    for _ in range(2):
        await worker.run_due()
        await worker.finish(5)
        clock.advance(3700.0)
    assert courier.outcomes == ["retried", "failed"]
    assert courier.letters[0].exhausted == "MaximumEventAgeInSeconds"


@pytest.mark.parametrize("seconds", [86_400.0, 600.0])
async def test_a_clock_that_is_set_back_keeps_no_delivery_waiting(clock, seconds):
    store, courier = MemoryDeliveries(delivery()), Courier(AGAIN, None)
    worker = DeliveryWorker("events", store, courier, clock, base_seconds=1.0)
    await worker.run_due()
    await worker.finish(5)
    clock.set_by(-seconds)
    await worker.hasten()
    assert await worker.run_due() == 1
    await worker.finish(5)
    assert courier.outcomes == ["retried", "delivered"]


async def test_what_is_due_later_by_right_stays_so(clock):
    store = MemoryDeliveries(replace(delivery(), due_at=100.0 + 7200.0))
    worker = DeliveryWorker("events", store, Courier(), clock, base_seconds=1.0, ahead_seconds=86_400.0)
    await worker.hasten()
    assert await worker.run_due() == 0

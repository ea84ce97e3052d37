"""Where a synchronous invocation runs: here, or on another node that has an environment for it, or less to do.

No invocation asks the database for that: other nodes report their load all the time, and who turns out to have no room
refuses, and has run nothing. Who is lost while he runs it may have run it: the caller gets an error that is worth a
retry, as on AWS.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lambent.cluster.peers import Peer, PeerAwayError, PeerLostError
from lambent.environments.pools import Pools
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.forwarding import (
    ELSEWHERE,
    Refused,
    RunHere,
    call_of,
    error_of,
    read_answer,
    take_part,
)
from lambent.invoke.load import Load, Reporter, warm_key
from lambent.model.error import ServiceException
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import ServiceException_

_EASY = 4.0
"""Environments at work for each CPU up to which a node begins what is warm nowhere by itself."""
_PLACES_MOST = 3
_WAITS_MOST, _WAIT_SECONDS = 20, 0.1
"""How long a node that runs no functions waits for one that does: both may just have started."""


@dataclass(frozen=True, slots=True)
class Place:
    """`other` is None for this node."""

    load: Load
    other: Peer | None = None


def choose(
    places: Iterable[Place], warm: str, limit: str, sample: Callable[[Sequence[Place]], Sequence[Place]]
) -> Place | None:
    """Of the places where an environment waits, else of all, the one with less to do of two at random; but here,
    where none waits anywhere and there is not much to do. Where the limit leaves no room anywhere, it is here that it
    is asked for once more."""
    takers = [place for place in places if not place.load.ending]
    here = next((place for place in takers if place.other is None), None)
    able = [place for place in takers if place.load.may_run(warm, limit)]
    if not able and here is not None:
        return here
    warm_ones = [place for place in able if place.load.idle.get(warm, 0) > 0]
    if not warm_ones and here in able and here.load.pressure < _EASY:
        return here
    of = warm_ones or able or takers
    return min(sample(of), key=lambda place: place.load.pressure) if of else None


def two_of(places: Sequence[Place]) -> Sequence[Place]:
    return random.sample(places, min(2, len(places)))


class NodeRouter:
    """Implements invoke.invoke.Router. `others` are the nodes that run functions and can be called now; `works`:
    whether this one runs any."""

    def __init__(
        self,
        run_here: RunHere,
        pools: Pools,
        concurrency: Concurrency,
        others: Callable[[], Sequence[Peer]],
        rooms: Callable[[], Mapping[str, int]],
        *,
        works: bool,
        sample: Callable[[Sequence[Place]], Sequence[Place]] = two_of,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._run_here = run_here
        self._pools = pools
        self._concurrency = concurrency
        self._others = others
        self._rooms = rooms
        self._works = works
        self._sample = sample
        self._sleep = sleep
        self._loads: dict[str, Load] = {}
        self._cpus = len(os.sched_getaffinity(0))
        self.ending = False
        self.is_member: Callable[[], bool] = lambda: False
        """Whether this node has renewed its membership lately."""

    # What nodes tell each other

    def heard(self, node_id: str, report: bytes) -> None:
        """An empty one begins anew."""
        if report:
            self._loads[node_id].take(report)
        else:
            self._loads[node_id] = Load()

    def gone(self, node_id: str) -> None:
        self._loads.pop(node_id, None)

    def provisioned_elsewhere(self, version: FunctionVersion) -> tuple[int, str | None]:
        """For invoke.allotments."""
        key = warm_key(version.function, version.version, None)
        loads = self._loads.values()
        failures = (load.failures[key] for load in loads if key in load.failures)
        return sum(load.provisioned.get(key, 0) for load in loads), next(failures, None)

    def running_elsewhere(self) -> Mapping[FunctionId, int]:
        """For invoke.meters."""
        running: Counter[FunctionId] = Counter()
        for load in self._loads.values():
            for key, count in load.running.items():
                running[FunctionId(*key.split("/", 2))] += count
        return running

    def others_are_members(self) -> bool:
        """Whether a node that can be called has renewed its membership lately."""
        loads = (self._loads.get(other.node.id) for other in self._others())
        return any(load is not None and load.member for load in loads)

    def new_report(self) -> Callable[[], bytes]:
        return Reporter(self._load)

    def _load(self) -> Load:
        counts = self._pools.counts()
        provisioned = {
            warm_key(function, version, None): one for function, version, one in self._pools.all_provisioned()
        }
        return Load(
            busy=counts["busy"] + counts["starting"],
            cpus=self._cpus,
            ending=self.ending,
            member=self.is_member(),
            idle={
                warm_key(function, version, tenant_id): count
                for function, version, tenant_id, count in self._pools.idle()
            },
            ready={key: count for key, one in provisioned.items() if (count := len(one.idle))},
            room=dict(self._rooms()),
            running={
                f"{function.account_id}/{function.region}/{function.name}": count
                for function, count in self._concurrency.all_running()
            },
            provisioned={key: count for key, one in provisioned.items() if (count := one.ready)},
            failures={key: one.failure for key, one in provisioned.items() if one.failure is not None},
        )

    # Invocations

    async def run(self, version: FunctionVersion, invocation: Invocation) -> InvocationResult:
        if invocation.asynchronous:  # who took it from the queue runs it
            return await self._run_here(version, invocation)
        if not (self._works and self._pools.has_idle(version, invocation.tenant_id)):
            return await self._run_somewhere(version, invocation, set(), None)
        if not self._concurrency.share(version.function).lane(version.version).has_room:
            return await self._run_somewhere(version, invocation, set(), None)
        try:
            return await self._run_here(version, invocation)
        except ELSEWHERE as refusal:
            return await self._run_somewhere(version, invocation, {None}, refusal)

    async def _run_somewhere(
        self,
        version: FunctionVersion,
        invocation: Invocation,
        tried: set[str | None],
        refusal: ServiceException | None,
    ) -> InvocationResult:
        """`tried` are the places that have refused: None for this node."""
        warm = warm_key(version.function, version.version, invocation.tenant_id)
        limit = self._concurrency.share(version.function).capacity.name
        waits = _WAITS_MOST
        while len(tried) < _PLACES_MOST:
            place = choose(self._places(tried), warm, limit, self._sample)
            if place is None:
                if tried or not waits:
                    break
                waits -= 1
                await self._sleep(_WAIT_SECONDS)
                continue
            tried.add(place.other.node.id if place.other is not None else None)
            try:
                if place.other is None:
                    return await self._run_here(version, invocation)
                return await self._run_there(place.load, place.other, (warm, limit), version, invocation)
            except ELSEWHERE as error:
                refusal = error
            except _RefusedError as refused:
                refusal = refused.error
            except PeerAwayError:
                continue
        raise refusal or ServiceException_("No node that runs functions can be reached.")

    def _places(self, tried: Collection[str | None]) -> Iterable[Place]:
        if self._works and None not in tried:
            yield Place(self._load())
        for other in self._others():
            load = self._loads.get(other.node.id)
            if load is not None and other.node.id not in tried:
                yield Place(load, other)

    async def _run_there(
        self,
        load: Load,
        other: Peer,
        keys: tuple[str, str],
        version: FunctionVersion,
        invocation: Invocation,
    ) -> InvocationResult:
        """Raises PeerAwayError, _RefusedError, and what is the caller's to know."""

        def part(head: bytes, body: bytes) -> None:
            take_part(invocation, head, body, exchange.pause, exchange.resume)

        exchange = other.call(call_of(version, invocation), invocation.payload, part)
        load.begun(*keys)
        try:
            head, body = await exchange.answered()
        except PeerLostError:
            raise ServiceException_("The node that ran the function was lost.") from None
        finally:
            load.ended(*keys)
        answer = read_answer(head)
        if isinstance(answer, Refused):
            error = error_of(answer)
            raise _RefusedError(error) if answer.elsewhere else error
        return InvocationResult(
            payload=body,
            executed_version=answer.executed_version,
            function_error=answer.function_error,
            log_tail=answer.log_tail,
        )


class _RefusedError(Exception):
    """Another node has run nothing, and says why."""

    def __init__(self, error: ServiceException) -> None:
        super().__init__(str(error))
        self.error = error

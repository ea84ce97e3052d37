import asyncio
from functools import partial

import pytest

from lambent.cluster.peers import PeerAwayError, PeerLostError
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Target
from lambent.invoke.forwarding import ForwardedInvocations
from lambent.invoke.load import Load, Reporter, warm_key
from lambent.invoke.routing import NodeRouter, Place, choose
from lambent.model.function import FunctionId
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ServiceException_,
    TooManyRequestsException,
)
from lambent.store.ports.nodes import Node

HELLO = FunctionId("123456789012", "eu-west-1", "hello")
LIMIT = "123456789012/eu-west-1"
WARM = warm_key(HELLO, "$LATEST", None)


def first(places):
    return places[:2]


def node(id):
    return Node(id=id, incarnation="", address="h:1", zone="", roles=("worker",), version="1")


class Pools:
    def __init__(self):
        self.waiting = 0
        self.provisions = []
        self.busy = 0

    def has_idle(self, version, tenant_id):
        return self.waiting > 0

    def idle(self):
        return [(HELLO, "$LATEST", None, self.waiting)] if self.waiting else []

    def all_provisioned(self):
        return self.provisions

    def counts(self):
        return {"busy": self.busy, "starting": 0}


class Exchange:
    def __init__(self, answering):
        self.answering = answering
        self.paused = []

    def pause(self):
        self.paused.append(True)

    def resume(self):
        self.paused.append(False)

    async def answered(self):
        return await self.answering


class OtherNode:
    """A peer whose node runs what it is sent, in this process."""

    def __init__(self, id, store, run_here):
        self.node = node(id)
        self.forwarded = ForwardedInvocations(store, Others(), run_here, 100)
        self.forwarded.opened = True
        self.error = None
        self.calls = 0

    def call(self, head, body, part):
        if isinstance(self.error, PeerAwayError):
            raise self.error
        self.calls += 1

        class Call:
            paused = resumed = staticmethod(lambda: None)
            held = False

            def part(self, head, body=b""):
                part(head, body)

        call = Call()
        call.head, call.body = head, body

        async def run():
            if self.error is not None:
                raise self.error
            return await self.forwarded.handle(call)

        return Exchange(run())


class Others:
    seen = 0

    def __init__(self):
        self.looks = 0

    async def look(self, since):
        self.looks += 1
        return False


class Known:
    """Of the directory what a forwarded invocation needs."""

    def __init__(self, version):
        self.version = version

    async def resolve(self, function, qualifier):
        return Target(self.version)


class Runs:
    def __init__(self, name):
        self.name = name
        self.ran = []
        self.error = None
        self.stream = ()

    async def __call__(self, version, invocation):
        if self.error is not None:
            raise self.error
        self.ran.append(invocation)
        if self.stream:
            invocation.sink.executed_version = version.version
            invocation.sink.begin("text/x", lambda: None, lambda: None)
            for piece in self.stream:
                invocation.sink.write(piece)
            assert invocation.sink.finish() == b""
        return InvocationResult(payload=self.name.encode(), executed_version=version.version, log_tail=b"log")


class Cluster:
    def __init__(self, version, *, works=True, others=("b", "c")):
        self.here, self.pools, self.known = Runs("a"), Pools(), Known(version())
        self.runs = {id: Runs(id) for id in others}
        self.others = {id: OtherNode(id, self.known, self.runs[id]) for id in others}
        self.naps = 0
        self.router = NodeRouter(
            self.here, self.pools, Concurrency(10), lambda: list(self.others.values()), dict, works=works,
            sample=first, sleep=self.sleep,
        )  # fmt: skip
        for id in others:
            self.router.heard(id, b"")

    async def sleep(self, seconds):
        self.naps += 1

    def load(self, id) -> Load:
        return self.router._loads[id]

    async def run(self, **settings):
        self.invocation = Invocation(
            **{"request_id": "r", "function": HELLO, "invoked_arn": "arn", "payload": b"{}"} | settings
        )
        return (await self.router.run(self.known.version, self.invocation)).payload.decode()


@pytest.fixture
def new_cluster(version):
    return partial(Cluster, version)


def test_of_two_that_are_warm_the_one_with_less_to_do_is_chosen():
    busy, calm = Place(Load(busy=9, idle={WARM: 1})), Place(Load(busy=1, idle={WARM: 3}))
    cold = Place(Load())
    assert choose([busy, cold, calm], WARM, LIMIT, first) is calm
    assert choose([busy, cold], WARM, LIMIT, first) is busy, (
        "an environment that waits is worth more than rest"
    )


def test_what_is_warm_nowhere_begins_here_unless_there_is_much_to_do_here():
    other = Place(Load(), other=OtherNode("b", None, None))
    assert choose([other, here := Place(Load(busy=3))], WARM, LIMIT, first) is here
    assert choose([other, Place(Load(busy=9))], WARM, LIMIT, first) is other
    assert choose([Place(Load(ending=True))], WARM, LIMIT, first) is None


def test_where_the_limit_leaves_no_room_nothing_is_sent_but_to_what_is_provisioned():
    full = Place(Load(idle={WARM: 1}, room={LIMIT: 0}), other=OtherNode("b", None, None))
    here, roomy = Place(Load(room={LIMIT: 0})), Place(Load(room={LIMIT: 1}))
    assert choose([full, here], WARM, LIMIT, first) is here, "the database is asked from here"
    assert choose([full, here, roomy], WARM, LIMIT, first) is roomy
    full.load.ready[WARM] = 1
    assert choose([full, here, roomy], WARM, LIMIT, first) is full


async def test_a_warm_environment_here_is_used_here(new_cluster):
    cluster = new_cluster()
    cluster.pools.waiting = 1
    assert await cluster.run() == "a"


async def test_a_refusal_here_is_not_the_last_word_either(new_cluster):
    cluster = new_cluster()
    cluster.pools.waiting = 1
    cluster.here.error = TooManyRequestsException("full")
    cluster.load("c").idle[WARM] = 1
    assert await cluster.run() == "c"


async def test_an_event_runs_where_it_was_claimed(new_cluster):
    cluster = new_cluster()
    cluster.load("c").idle[WARM] = 1
    assert await cluster.run(asynchronous=True) == "a"


async def test_where_none_waits_here_a_node_with_one_runs_it(new_cluster):
    cluster = new_cluster()
    cluster.load("c").idle[WARM] = 1
    assert await cluster.run() == "c"
    assert cluster.load("c").idle[WARM] == 1, "it waits again"


async def test_everything_of_an_invocation_goes_along_and_comes_back(new_cluster):
    cluster = new_cluster(works=False, others=("b",))
    given = {
        "qualifier": "live", "client_context": "{}", "identity": {"a": 1}, "trace_id": "t", "tenant_id": "x",
        "tail_log": True, "durable_execution_arn": "d", "payload": b"\0raw",
    }  # fmt: skip
    assert await cluster.run(**given) == "b"
    (ran,) = cluster.runs["b"].ran
    assert {name: getattr(ran, name) for name in given} == given
    assert (ran.request_id, ran.invoked_arn, ran.function) == ("r", "arn", HELLO)


async def test_the_pieces_of_a_response_reach_the_callers_sink(new_cluster):
    cluster = new_cluster(works=False, others=("b",))
    cluster.runs["b"].stream = (b"one", b"two")

    taken = []

    class Sink:
        executed_version = ""

        def begin(self, content_type, pause, resume):
            taken.append((content_type, self.executed_version))

        def write(self, piece):
            taken.append(piece)

    await cluster.run(sink=Sink())
    assert taken == [("text/x", "$LATEST"), b"one", b"two"]


@pytest.mark.parametrize("refused", [TooManyRequestsException("full"), PeerAwayError()])
async def test_who_has_no_room_or_cannot_be_reached_is_not_the_last(refused, new_cluster):
    cluster = new_cluster()
    cluster.load("b").idle[WARM] = cluster.load("c").idle[WARM] = 1
    if isinstance(refused, PeerAwayError):
        cluster.others["b"].error = refused
    else:
        cluster.runs["b"].error = refused
    assert await cluster.run() == "c"


async def test_when_all_refuse_the_last_refusal_is_the_answer(new_cluster):
    cluster = new_cluster()
    for runs in (cluster.here, *cluster.runs.values()):
        runs.error = TooManyRequestsException("full", members={"Reason": "Why"})
    with pytest.raises(TooManyRequestsException, match="full") as refused:
        await cluster.run()
    assert refused.value.members == {"Type": "User", "Reason": "Why"}


async def test_an_error_of_the_caller_is_not_tried_elsewhere(new_cluster):
    cluster = new_cluster(works=False)
    cluster.runs["b"].error = InvalidParameterValueException("no")
    with pytest.raises(InvalidParameterValueException, match="no"):
        await cluster.run()
    assert cluster.others["c"].calls == 0


async def test_who_is_lost_while_it_runs_is_an_error_worth_a_retry_and_nobody_runs_it_again(new_cluster):
    cluster = new_cluster()
    cluster.load("b").idle[WARM] = 1
    cluster.others["b"].error = PeerLostError("b")
    with pytest.raises(ServiceException_):
        await cluster.run()
    assert cluster.here.ran == cluster.runs["c"].ran == []


async def test_a_node_that_ends_takes_nothing_and_says_so(new_cluster):
    cluster = new_cluster(works=False)
    cluster.others["b"].forwarded.ending = True
    assert await cluster.run() == "c"


async def test_a_node_without_functions_waits_a_while_for_one_that_runs_them(new_cluster):
    cluster = new_cluster(works=False, others=())
    with pytest.raises(ServiceException_, match="No node that runs functions"):
        await cluster.run()
    assert cluster.naps > 0


async def test_a_node_that_knows_another_revision_looks_at_the_database_first(new_cluster, version):
    cluster = new_cluster(works=False, others=("b",))
    others = cluster.others["b"].forwarded._others
    await cluster.run()
    assert others.looks == 0
    newer = version(revision_id="newer")
    invocation = Invocation(request_id="r", function=HELLO, invoked_arn="arn", payload=b"")
    await cluster.router.run(newer, invocation)
    assert others.looks == 1


async def test_what_runs_elsewhere_is_known_of_reports(new_cluster):
    cluster = new_cluster()
    for id, running in (("b", 2), ("c", 3)):
        cluster.router.heard(id, Reporter(lambda n=running: Load(running={"1/r/f": n}))())
    assert cluster.router.running_elsewhere() == {FunctionId("1", "r", "f"): 5}
    cluster.router.heard("c", b"")
    assert cluster.router.running_elsewhere() == {FunctionId("1", "r", "f"): 2}


async def test_who_is_cut_off_alone_knows_it_of_those_that_are_not(new_cluster):
    cluster = new_cluster()
    assert not cluster.router.others_are_members(), "who says nothing of it may be as badly off"
    cluster.load("c").member = True
    assert cluster.router.others_are_members()
    del cluster.others["c"]
    assert not cluster.router.others_are_members(), "it cannot be called"


async def test_who_leaves_cancels_the_call(new_cluster):
    cluster = new_cluster(works=False, others=("b",))
    begun, cancelled = asyncio.Event(), []

    async def run(version, invocation):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    cluster.others["b"].forwarded._run_here = run
    task = asyncio.ensure_future(cluster.run())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert cancelled and cluster.load("b").busy == 0

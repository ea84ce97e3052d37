"""The store of queues and of their messages."""

import asyncio
from dataclasses import replace
from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest

from lambent.model.queue import MessageAttribute, Queue, QueueDepth, QueueMessage, ReceivedMessage
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.queue_messages import DeadLetters, Held, Moved, Place, Receive, Received

if TYPE_CHECKING:
    from tests.contract.store.conftest import Stores

NOW = 1_700_000_000_000
DAY = 86_400_000
HOUR = 3_600_000


def queue(name: str = "q", **changes: Any) -> Queue:
    return Queue(
        **{"account_id": "1", "region": "r", "name": name, "created_at": NOW, "modified_at": NOW} | changes
    )


def message(body: str = "b", **changes: Any) -> QueueMessage:
    fields = {
        "message_id": f"id-{body}",
        "body": body,
        "md5_of_body": md5(body.encode()).hexdigest(),
        "sender_id": "1",
        "sent_at": NOW,
    }
    return QueueMessage(**fields | changes)


def grouped(body: str, group: str = "g", **changes: Any) -> QueueMessage:
    return message(body, **{"group_id": group, "deduplication_id": body, "deduplication_scope": ""} | changes)


async def made(stores: "Stores", name: str = "q") -> Queue:
    return await stores.queues.insert(queue(name))


async def send(
    stores: "Stores", to: Queue, *messages: QueueMessage, visible_at: int = NOW, now: int = NOW
) -> list[int]:
    sent = await stores.queue_messages.send(
        to.id,
        [(one, visible_at) for one in messages],
        now=now,
        is_fifo=to.is_fifo,
        duplicates_until=now + 300_000,
    )
    return [one.id for one in sent]


async def receive(
    stores: "Stores",
    of: Queue,
    *,
    limit: int = 10,
    now: int = NOW,
    hidden: int = 30_000,
    dead_letters: DeadLetters | None = None,
    retention: int = DAY,
) -> Received:
    return await stores.queue_messages.receive(
        Receive(
            queue_id=of.id,
            is_fifo=of.is_fifo,
            limit=limit,
            now=now,
            hidden_until=now + hidden,
            expired_at=now - retention,
            dead_letters=dead_letters,
        )
    )


def bodies(received: Received) -> list[str]:
    return [one.message.body for one in received.messages]


def receipt(received: ReceivedMessage) -> tuple[int, int]:
    return received.id, received.receive_count


async def delete(stores: "Stores", of: Queue, *receipts: tuple[int, int], now: int = NOW) -> list[Held]:
    return list(await stores.queue_messages.delete(of.id, receipts, now=now, is_fifo=of.is_fifo))


class TestQueues:
    async def test_what_was_inserted_is_there(self, stores: "Stores") -> None:
        one = await stores.queues.insert(queue(attributes={"DelaySeconds": "3"}, tags={"a": "b"}))
        other = await made(stores, "other")
        assert list(await stores.queues.all()) == [one, other]
        assert one.id != other.id

    async def test_names_are_unique_in_account_and_region(self, stores: "Stores") -> None:
        await made(stores)
        with pytest.raises(AlreadyExistsError):
            await made(stores)
        await stores.queues.insert(queue(region="elsewhere"))
        await stores.queues.insert(queue(account_id="2"))

    async def test_replacing(self, stores: "Stores") -> None:
        one = await made(stores)
        await stores.queues.replace(replace(one, tags={"new": "tag"}))
        assert [found.tags for found in await stores.queues.all()] == [{"new": "tag"}]
        with pytest.raises(NotFoundError):
            await stores.queues.replace(replace(one, id=99))

    async def test_an_emptied_queue_has_nothing_and_takes_messages(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("old"))
        emptied = await stores.queues.empty(one)
        assert emptied.id != one.id
        assert bodies(await receive(stores, emptied)) == []
        assert await stores.queue_messages.depth(emptied.id, now=NOW) == QueueDepth(
            visible=0, in_flight=0, delayed=0
        )
        await send(stores, emptied, message("new"))
        with pytest.raises(NotFoundError):
            await send(stores, one, message("late"))
        while await stores.queues.sweep_discarded(1):
            pass
        assert bodies(await receive(stores, one)) == []
        assert bodies(await receive(stores, emptied)) == ["new"]

    async def test_a_deleted_queue_is_gone_with_its_messages(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a"), grouped("b"))
        await stores.queues.delete(one)
        assert await stores.queues.all() == []
        with pytest.raises(NotFoundError):
            await stores.queues.delete(one)
        while await stores.queues.sweep_discarded(10):
            pass
        again = await made(stores, "q.fifo")
        assert again.id != one.id
        assert len(await send(stores, again, grouped("a"))) == 1
        assert bodies(await receive(stores, again)) == ["a"]


class TestStandardQueues:
    async def test_a_message_comes_back_as_it_was_sent(self, stores: "Stores") -> None:
        one = await made(stores)
        sent = message(
            "hällo",
            attributes={
                "text": MessageAttribute(data_type="String", string_value="x"),
                "bytes": MessageAttribute(data_type="Binary.png", binary_value=b"\x00\xff"),
            },
            group_id="tenant",
            trace_header="Root=1",
        )
        [id] = await send(stores, one, sent)
        [received] = (await receive(stores, one)).messages
        assert received == ReceivedMessage(id=id, receive_count=1, first_received_at=NOW, message=sent)

    async def test_the_oldest_first_and_hidden_for_a_while(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, *(message(f"{n}") for n in range(5)))
        assert bodies(await receive(stores, one, limit=3)) == ["0", "1", "2"]
        assert bodies(await receive(stores, one, limit=3)) == ["3", "4"]
        assert await receive(stores, one) == Received(next_due=NOW + 30_000)
        later = await receive(stores, one, limit=2, now=NOW + 30_000)
        assert [(m.message.body, m.receive_count, m.first_received_at) for m in later.messages] == [
            ("0", 2, NOW),
            ("1", 2, NOW),
        ]

    async def test_what_returns_stands_behind_what_waited_longer(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("first"))
        await receive(stores, one, hidden=10)
        await send(stores, one, message("second"), visible_at=NOW + 5)
        assert bodies(await receive(stores, one, now=NOW + 10)) == ["second", "first"]

    async def test_who_receives_at_once_shares_what_there_is(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, *(message(f"{number:02}") for number in range(12)))
        await send(stores, one, message("later"), visible_at=NOW + HOUR)
        askers = [receive(stores, one, limit=5, now=NOW + number) for number in range(4)]
        found = await asyncio.gather(*askers)
        got = [body for received in found for body in bodies(received)]
        assert sorted(got) == [f"{number:02}" for number in range(12)], "each of them once"
        assert all(len(received.messages) <= 5 for received in found)
        (due,) = {received.next_due for received in found if not received.messages}
        assert NOW + 30_000 <= due < NOW + HOUR
        assert (
            await delete(stores, one, *(receipt(each) for received in found for each in received.messages))
            == [Held.CURRENT] * 12
        )

    async def test_who_receives_at_once_hides_for_as_long_as_asked(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, *(message(f"{number}") for number in range(4)))
        short, long = await asyncio.gather(
            receive(stores, one, limit=2, hidden=1_000), receive(stores, one, limit=2, hidden=HOUR)
        )
        assert len(short.messages) == len(long.messages) == 2
        again = await receive(stores, one, now=NOW + 1_000)
        assert sorted(bodies(again)) == sorted(bodies(short))

    async def test_the_dead_are_counted_once_for_who_receives_at_once(self, stores: "Stores") -> None:
        one, dead = await made(stores), await made(stores, "dead")
        await send(stores, one, message("a"), message("b"))
        await receive(stores, one)
        letters = DeadLetters(queue_id=dead.id, is_fifo=False, max_receive_count=1, source_arn="arn:q")
        found = await asyncio.gather(
            *(receive(stores, one, now=NOW + HOUR, dead_letters=letters) for _ in range(3))
        )
        assert sum(received.dead for received in found) == 2
        assert sorted(bodies(await receive(stores, dead, now=NOW + HOUR))) == ["a", "b"]

    async def test_delayed_messages(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("slow"), visible_at=NOW + 7)
        assert await receive(stores, one) == Received(next_due=NOW + 7)
        assert bodies(await receive(stores, one, now=NOW + 7)) == ["slow"]

    async def test_only_the_last_receipt_deletes(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message())
        [first] = (await receive(stores, one)).messages
        [second] = (await receive(stores, one, now=NOW + HOUR)).messages
        assert await delete(stores, one, receipt(first)) == [Held.SUPERSEDED]
        assert await delete(stores, one, receipt(second), now=NOW + DAY) == [Held.CURRENT]
        assert await delete(stores, one, receipt(second)) == [Held.GONE]
        assert bodies(await receive(stores, one, now=NOW + DAY)) == []

    async def test_a_receipt_of_another_queue_holds_nothing(self, stores: "Stores") -> None:
        one, other = await made(stores), await made(stores, "other")
        await send(stores, one, message())
        [received] = (await receive(stores, one)).messages
        assert await delete(stores, other, receipt(received)) == [Held.GONE]

    async def test_changing_visibility(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message())
        [first] = (await receive(stores, one)).messages

        async def change(until: int, now: int) -> list[Held | int]:
            changes = [(receipt(first), until, HOUR)]
            return list(
                await stores.queue_messages.change_visibility(one.id, changes, now=now, is_fifo=False)
            )

        assert await change(NOW + HOUR + 1, NOW) == [NOW]
        assert await change(NOW + HOUR, NOW) == [Held.CURRENT]
        assert bodies(await receive(stores, one, now=NOW + HOUR - 1)) == []
        assert await change(NOW + 5, NOW + 5) == [Held.CURRENT]
        assert bodies(await receive(stores, one, now=NOW + 5)) == ["b"]
        assert await change(NOW + 6, NOW + 6) == [Held.CURRENT]
        assert bodies(await receive(stores, one, now=NOW + 6)) == ["b"]

    async def test_depth(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, *(message(f"{n}") for n in range(6)))
        await send(stores, one, message("slow"), visible_at=NOW + 9)
        received = (await receive(stores, one, limit=3)).messages
        await delete(stores, one, receipt(received[0]))

        async def depth(now: int) -> tuple[int, int, int]:
            found = await stores.queue_messages.depth(one.id, now=now)
            return found.visible, found.in_flight, found.delayed

        assert await depth(NOW) == (3, 2, 1)
        assert await depth(NOW + 9) == (4, 2, 0)
        assert await depth(NOW + 30_000) == (6, 0, 0)

    async def test_what_is_too_old_is_not_received(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("old"), message("young", sent_at=NOW + 1))
        assert bodies(await receive(stores, one, now=NOW + DAY)) == ["young"]
        assert (await stores.queue_messages.depth(one.id, now=NOW)).in_flight == 1

    async def test_expiry(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, *(message(f"{n}") for n in range(3)))
        await send(stores, one, message("young", sent_at=NOW + 1), visible_at=NOW + 1)
        assert await stores.queue_messages.oldest_sent_at(one.id) == NOW
        assert await stores.queue_messages.expire(one.id, expired_at=NOW, limit=2) == 2
        assert await stores.queue_messages.expire(one.id, expired_at=NOW, limit=2) == 1
        assert await stores.queue_messages.oldest_sent_at(one.id) == NOW + 1
        assert bodies(await receive(stores, one, now=NOW + 1)) == ["young"]
        assert await stores.queue_messages.oldest_sent_at((await made(stores, "empty")).id) is None

    async def test_dead_letters(self, stores: "Stores") -> None:
        one, dead = await made(stores), await made(stores, "dead")
        where = DeadLetters(queue_id=dead.id, is_fifo=False, max_receive_count=2, source_arn="arn:q")
        await send(stores, one, message("bad", attributes={"a": MessageAttribute(data_type="String.x")}))
        for n in range(2):
            assert bodies(await receive(stores, one, now=NOW + n, hidden=1, dead_letters=where)) == ["bad"]
        await send(stores, one, message("good"))
        received = await receive(stores, one, now=NOW + 2, dead_letters=where)
        assert (bodies(received), received.dead) == (["good"], 1)
        [letter] = (await receive(stores, dead, now=NOW + 2)).messages
        assert letter.message.body == "bad"
        assert letter.message.dead_letter_source_arn == "arn:q"
        assert letter.message.attributes.keys() == {"a"}
        assert letter.message.earlier_receive_count == 2
        assert (letter.message.sent_at, letter.receive_count, letter.first_received_at) == (NOW, 1, NOW)

    async def test_no_dead_letters_to_a_queue_that_is_gone(self, stores: "Stores") -> None:
        one, dead = await made(stores), await made(stores, "dead")
        where = DeadLetters(queue_id=dead.id, is_fifo=False, max_receive_count=1, source_arn="arn:q")
        await send(stores, one, message())
        await receive(stores, one, hidden=0)
        await stores.queues.delete(dead)
        with pytest.raises(NotFoundError):
            await receive(stores, one, dead_letters=where)
        assert bodies(await receive(stores, one)) == ["b"]


class TestFifoQueues:
    async def test_a_group_waits_for_what_is_in_flight(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a1", "a"), grouped("b1", "b"), grouped("a2", "a"))
        [first] = (await receive(stores, one, limit=1)).messages
        assert first.message.body == "a1"
        assert bodies(await receive(stores, one)) == ["b1"]
        assert (await receive(stores, one)).next_due == NOW + 30_000
        assert await delete(stores, one, receipt(first)) == [Held.CURRENT]
        assert bodies(await receive(stores, one)) == ["a2"]

    async def test_as_many_of_one_group_as_there_are_in_order(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, *(grouped(f"{g}{n}", g) for n in range(3) for g in "ab"))
        received = await receive(stores, one, limit=4)
        assert bodies(received) == ["a0", "a1", "a2", "b0"]
        assert bodies(await receive(stores, one)) == []
        for each in received.messages[:2]:
            await delete(stores, one, receipt(each))
        assert bodies(await receive(stores, one)) == []
        assert bodies(await receive(stores, one, now=NOW + 30_000)) == ["b0", "b1", "b2", "a2"]

    async def test_a_receipt_ends_with_its_visibility_timeout(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a"))
        [first] = (await receive(stores, one)).messages
        assert await delete(stores, one, receipt(first), now=NOW + 30_000) == [Held.SUPERSEDED]
        assert await delete(stores, one, receipt(first), now=NOW + 29_999) == [Held.CURRENT]

    async def test_showing_a_message_again_frees_its_group(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a"), grouped("b"))
        [first] = (await receive(stores, one, limit=1)).messages
        changes = [(receipt(first), NOW, DAY)]
        await stores.queue_messages.change_visibility(one.id, changes, now=NOW, is_fifo=True)
        assert bodies(await receive(stores, one)) == ["a", "b"]

    async def test_a_group_goes_on_as_far_as_it_is_visible(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, *(grouped(f"a{n}", "a") for n in range(3)), grouped("b", "b"))
        [first, second] = (await receive(stores, one, limit=2)).messages
        changes = [(receipt(first), NOW + 1, DAY)]
        await stores.queue_messages.change_visibility(one.id, changes, now=NOW, is_fifo=True)
        assert bodies(await receive(stores, one, now=NOW + 1)) == ["b", "a0"]
        await delete(stores, one, receipt(second))
        assert bodies(await receive(stores, one, now=NOW + 2)) == []

    async def test_what_was_shown_again_stands_behind_other_groups(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a1", "a"), grouped("b1", "b"), grouped("b2", "b"))
        await send(stores, one, grouped("c1", "c"), grouped("a2", "a"), now=NOW)
        assert bodies(await receive(stores, one, limit=3, hidden=0, now=NOW + 1)) == ["a1", "a2", "b1"]
        assert bodies(await receive(stores, one, hidden=0, now=NOW + 2)) == ["c1", "a1", "a2", "b1", "b2"]

    async def test_duplicates_are_not_sent_again(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        [first] = await send(stores, one, grouped("a"))
        send_again = stores.queue_messages.send
        twice = [(grouped("a", message_id="other"), NOW), (grouped("b"), NOW), (grouped("b"), NOW)]
        sent = await send_again(one.id, twice, now=NOW + 1, is_fifo=True, duplicates_until=NOW + 300_001)
        assert (sent[0].id, sent[0].message_id, sent[0].duplicate) == (first, "id-a", True)
        assert sent[1].id == sent[2].id
        [received, _] = (await receive(stores, one)).messages
        await delete(stores, one, receipt(received))
        assert await send(stores, one, grouped("a"), now=NOW + 299_999) == [first]
        assert await send(stores, one, grouped("a"), now=NOW + 300_000) != [first]

    async def test_deduplication_by_group(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        ids = await send(
            stores, one, *(grouped("a", group, deduplication_scope=group) for group in ("x", "y", "x"))
        )
        assert ids[0] != ids[1]
        assert ids[0] == ids[2]

    async def test_forgetting_deduplication_ids(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a"))
        await stores.queue_messages.sweep_deduplication(now=NOW + 299_999, latest=NOW + 300_000)
        assert len(bodies(await receive(stores, one, hidden=0))) == 1
        await send(stores, one, grouped("a"), now=NOW + 1)
        assert len(bodies(await receive(stores, one, hidden=0))) == 1
        await stores.queue_messages.sweep_deduplication(now=NOW + 300_000, latest=NOW + 600_000)
        await send(stores, one, grouped("a"), now=NOW + 1)
        assert len(bodies(await receive(stores, one, hidden=0))) == 2

    async def test_an_id_from_a_clock_that_was_ahead_is_known_no_longer_than_others(
        self, stores: "Stores"
    ) -> None:
        one = await made(stores, "q.fifo")
        [first] = await send(stores, one, grouped("a"), now=NOW + 86_400_000)
        await stores.queue_messages.sweep_deduplication(now=NOW, latest=NOW + 300_000)
        assert await send(stores, one, grouped("a"), now=NOW + 299_999) == [first]
        assert await send(stores, one, grouped("a"), now=NOW + 300_000) != [first]

    async def test_what_is_delayed_holds_up_its_group(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("a"))
        await send(stores, one, grouped("b"), visible_at=NOW + 10)
        await send(stores, one, grouped("c"))
        assert bodies(await receive(stores, one, hidden=0)) == ["a"]
        assert bodies(await receive(stores, one, now=NOW + 10)) == ["a", "b", "c"]

    async def test_dead_letters_keep_their_group_and_free_the_next(self, stores: "Stores") -> None:
        one, dead = await made(stores, "q.fifo"), await made(stores, "dead.fifo")
        where = DeadLetters(queue_id=dead.id, is_fifo=True, max_receive_count=1, source_arn="arn:q")
        await send(stores, one, grouped("bad"), grouped("good"))
        await receive(stores, one, limit=1, hidden=0)
        received = await receive(stores, one, now=NOW + 1, dead_letters=where)
        assert bodies(received) == ["good"]
        [letter] = (await receive(stores, dead, now=NOW + 1)).messages
        assert (letter.message.group_id, letter.message.sent_at) == ("g", NOW + 1)

    async def test_expiry_frees_a_group(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        await send(stores, one, grouped("old"))
        await send(stores, one, grouped("young", sent_at=NOW + 5), visible_at=NOW + 5)
        assert await stores.queue_messages.expire(one.id, expired_at=NOW, limit=10) == 1
        assert bodies(await receive(stores, one, now=NOW + 5)) == ["young"]


class TestMoving:
    async def test_dead_letters_go_home_as_new_messages(self, stores: "Stores") -> None:
        dead, home, other = [await made(stores, name) for name in ("dead", "home", "other")]
        await send(stores, dead, message("1", dead_letter_source_arn="home", earlier_receive_count=3))
        await send(stores, dead, message("2", dead_letter_source_arn="other"), message("3"))
        places = {
            "home": Place(queue_id=home.id, is_fifo=False),
            "other": Place(queue_id=other.id, is_fifo=False),
        }
        move = stores.queue_messages.move
        assert await move(dead.id, places, now=NOW + 5, limit=10, is_fifo=False) == Moved(count=2, homeless=1)
        [one] = (await receive(stores, home, now=NOW + 5)).messages
        assert (one.message.body, one.message.sent_at) == ("1", NOW + 5)
        assert (one.message.earlier_receive_count, one.message.dead_letter_source_arn) == (0, None)
        assert one.message.message_id != "id-1"
        assert bodies(await receive(stores, other, now=NOW + 5)) == ["2"]
        assert (await stores.queue_messages.depth(dead.id, now=NOW)).visible == 1
        anywhere: dict[str | None, Place] = {None: Place(queue_id=home.id, is_fifo=False)}
        assert await move(dead.id, anywhere, now=NOW + 5, limit=10, is_fifo=False) == Moved(count=1)
        assert await move(dead.id, anywhere, now=NOW + 5, limit=10, is_fifo=False) == Moved()

    async def test_groups_stay_in_order(self, stores: "Stores") -> None:
        dead, home = await made(stores, "dead.fifo"), await made(stores, "home.fifo")
        await send(stores, dead, *(grouped(f"{n}") for n in range(3)))
        places: dict[str | None, Place] = {None: Place(queue_id=home.id, is_fifo=True)}
        for _ in range(3):
            await stores.queue_messages.move(dead.id, places, now=NOW, limit=1, is_fifo=True)
        assert bodies(await receive(stores, home)) == ["0", "1", "2"]

    async def test_nothing_moves_to_a_queue_that_is_gone(self, stores: "Stores") -> None:
        dead, home = await made(stores, "dead"), await made(stores, "home")
        await send(stores, dead, message())
        await stores.queues.delete(home)
        places: dict[str | None, Place] = {None: Place(queue_id=home.id, is_fifo=False)}
        with pytest.raises(NotFoundError):
            await stores.queue_messages.move(dead.id, places, now=NOW, limit=1, is_fifo=False)
        assert bodies(await receive(stores, dead)) == ["b"]


class TestAClockThatWasSetBack:
    HOUR = 3_600_000

    async def test_what_was_sent_then_is_there_now(self, stores: "Stores") -> None:
        one = await made(stores)
        later = NOW + self.HOUR
        await send(stores, one, message("then", sent_at=later), visible_at=later, now=later)
        assert bodies(await receive(stores, one, now=NOW)) == []
        assert await stores.queue_messages.bring_back(one.id, now=NOW) == 1
        assert await stores.queue_messages.bring_back(one.id, now=NOW) == 0
        assert bodies(await receive(stores, one, now=NOW)) == ["then"]

    async def test_what_is_in_flight_stays_so_for_as_long_as_it_was_to(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("a"))
        await receive(stores, one, hidden=30_000, now=NOW + self.HOUR)
        assert await stores.queue_messages.bring_back(one.id, now=NOW) == 1
        assert bodies(await receive(stores, one, now=NOW + 29_999)) == []
        assert bodies(await receive(stores, one, now=NOW + 30_000)) == ["a"]

    async def test_a_group_is_received_from_again(self, stores: "Stores") -> None:
        one = await made(stores, "q.fifo")
        later = NOW + self.HOUR
        sent = [grouped(body, sent_at=later) for body in ("a", "b")]
        await send(stores, one, *sent, visible_at=later, now=later)
        assert await stores.queue_messages.bring_back(one.id, now=NOW) == 2
        assert bodies(await receive(stores, one, limit=2, now=NOW)) == ["a", "b"]

    async def test_others_are_left_alone(self, stores: "Stores") -> None:
        one = await made(stores)
        await send(stores, one, message("a"))
        await receive(stores, one, hidden=30_000, now=NOW)
        assert await stores.queue_messages.bring_back(one.id, now=NOW + 1) == 0

"""ReceiveRequestAttemptId: who did not hear the answer to a receive from a FIFO queue asks again, and gets the same."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from lambent.model.queue import Queue, ReceivedMessage
from lambent.services.sqs.errors import InvalidParameterValueException
from lambent.services.sqs.new_messages import check_token
from lambent.store.ports.queue_messages import Held, QueueMessageStore

_VALID_MS = 300_000
_KEPT_MOST = 1000
_VISIBILITY_MOST_MS = 43_200_000


@dataclass(frozen=True, slots=True)
class _Attempt:
    at: int
    messages: Sequence[ReceivedMessage]


class ReceiveAttempts:
    """In memory: after a crash the messages are received again when their visibility timeout is over."""

    def __init__(self, messages: QueueMessageStore) -> None:
        self._messages = messages
        self._attempts: OrderedDict[tuple[int, str], _Attempt] = OrderedDict()

    def remember(self, queue: Queue, id: str | None, messages: Sequence[ReceivedMessage], now: int) -> None:
        if id is None or not messages:
            return
        self._attempts[queue.id, id] = _Attempt(now, messages)
        self._attempts.move_to_end((queue.id, id))
        while len(self._attempts) > _KEPT_MOST or now - next(iter(self._attempts.values())).at > _VALID_MS:
            self._attempts.popitem(last=False)

    async def again(
        self, queue: Queue, id: str | None, *, now: int, hidden_until: int
    ) -> Sequence[ReceivedMessage] | None:
        """What this attempt received, hidden anew; None where there was none, or where a message was touched since."""
        attempt = self._attempts.get((queue.id, id)) if id is not None else None
        if attempt is None or now - attempt.at > _VALID_MS:
            return None
        changes = [
            ((one.id, one.receive_count), hidden_until, _VISIBILITY_MOST_MS) for one in attempt.messages
        ]
        held = await self._messages.change_visibility(queue.id, changes, now=now, is_fifo=queue.is_fifo)
        return attempt.messages if all(one is Held.CURRENT for one in held) else None


def attempt_id(queue: Queue, value: str | None) -> str | None:
    """Raises InvalidParameterValueException."""
    if value is None:
        return None
    if not queue.is_fifo:
        raise InvalidParameterValueException(
            f"Value {value} for parameter ReceiveRequestAttemptId is invalid. Reason: The request include "
            "parameter that is not valid for this queue type."
        )
    check_token(value, "ReceiveRequestAttemptId")
    return value

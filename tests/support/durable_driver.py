"""Drives one durable execution through its state machine, as the worker and the SDK inside of the function do."""

import json
from typing import Any

from memory_durable_executions import MemoryState

from lambent.model.durable_execution.apply_update import Surroundings
from lambent.model.durable_execution.checkpoint import CheckpointAnswer, CheckpointRequest, checkpoint
from lambent.model.durable_execution.closing import announced
from lambent.model.durable_execution.invocation import InvocationFailure, Launch, finish_invocation
from lambent.model.durable_execution.operation_update import OperationUpdate
from lambent.model.durable_execution.starting import Start, started
from lambent.model.durable_execution.timers import Due, advance, recover
from lambent.model.durable_execution.values import DurableExecution, Operation
from lambent.model.function import DurableConfig, FunctionId

FUNCTION = FunctionId("123456789012", "eu-west-1", "orders")


def start(**changes: Any) -> Start:
    settings: dict[str, Any] = {
        "id": "e-1",
        "name": "order-1",
        "function": FUNCTION,
        "version": "7",
        "invoked_arn": FUNCTION.arn("live"),
        "config": DurableConfig(execution_timeout=3600, retention_period_in_days=2),
        "input": '{"order": 1}',
    }
    return Start(**settings | changes)


class Driver:
    """`now` is the time of whatever comes next; `token` the one for the next checkpoint."""

    def __init__(self, **changes: Any) -> None:
        self.now = 1000.0
        self.state = MemoryState.of(started(start(**changes), self.now))
        self.token = ""
        self.launches: list[Launch] = []
        self.children: list[Any] = []
        self.announced: list[str] = []
        self.due = Due()

    @property
    def execution(self) -> DurableExecution:
        return self.state.execution

    @property
    def events(self) -> list[str]:
        return [event.members["EventType"] for event in self.state.events]

    @property
    def details(self) -> dict[str, Any]:
        """Of the last event."""
        members = self.state.events[-1].members
        found = members[f"{members['EventType']}Details"]
        assert isinstance(found, dict)
        return found

    def __getitem__(self, id: str) -> Operation:
        return self.state.operations[id]

    def advance(self, seconds: float = 0.0) -> Due:
        self.now += seconds
        change, self.due = advance(self.state, self.now, f"i-{len(self.launches) + 1}")
        self.state.apply(change)
        if self.due.announce:
            self.announced += self.due.announce
            self.state.apply(announced(self.state, self.due.announce)[0])
        if self.due.launch is not None:
            self.launches.append(self.due.launch)
            self.token = self.due.launch.token
        return self.due

    def checkpoint(
        self,
        *updates: dict[str, Any],
        token: str | None = None,
        client_token: str | None = None,
        **targets: Any,
    ) -> CheckpointAnswer:
        request = CheckpointRequest(
            token=self.token if token is None else token,
            client_token=client_token,
            updates=[OperationUpdate.of(update) for update in updates],
            around=Surroundings(targets=targets, secrets={u["Id"]: "secret" for u in updates}),
        )
        change, answer = checkpoint(self.state, request, self.now)
        self.state.apply(change)
        self.children += change.children if change is not None else ()
        self.token = answer.token or ""
        return answer

    def finish(self, outcome: Any, *, invocation_id: str | None = None) -> None:
        """With what the function returned, or an InvocationFailure."""
        done = outcome if isinstance(outcome, InvocationFailure | bytes) else json.dumps(outcome).encode()
        id = self.launches[-1].invocation_id if invocation_id is None else invocation_id
        self.state.apply(finish_invocation(self.state, id, done, self.now, backoff_seconds=5.0)[0])

    def crash(self) -> None:
        self.state.apply(recover(self.state, self.now)[0])

    def apply(self, decided: tuple[Any, Any]) -> Any:
        self.state.apply(decided[0])
        return decided[1]


def update(id: str, type: str, action: str, **members: Any) -> dict[str, Any]:
    return {"Id": id, "Type": type, "Action": action, **members}


def step(id: str, action: str = "START", **members: Any) -> dict[str, Any]:
    return update(id, "STEP", action, **members)


def wait(id: str, seconds: int = 10, **members: Any) -> dict[str, Any]:
    return update(id, "WAIT", "START", WaitOptions={"WaitSeconds": seconds}, **members)

"""Whose events run next: a pure rule.

Accounts take turns, the functions of an account do, and the tenants of a function do. No line may hold more places than
are still free, so that however much waits in one, and however long it runs, another's first event finds a place.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lambent.model.function import FunctionId
from lambent.model.invocation import EventLine

_Turns: TypeAlias = deque["EventLine | _Turns"]
"""Who takes turns: lines, or groups of such, within which turns are taken."""


def share_out(
    waiting: Sequence[EventLine],
    running: Mapping[EventLine, int],
    room: Callable[[FunctionId], int],
    free: int,
) -> dict[EventLine, int]:
    """How many events of each line to begin now. `running` are those in progress, `room` says how many more of a
    function the limits of concurrency allow, `free` is how many places there are."""
    load = {line: running.get(line, 0) for line in waiting}
    left = {function: room(function) for function in {line.function for line in waiting}}
    turns = _turns(load)
    begun: dict[EventLine, int] = {}
    places = free

    def may(line: EventLine) -> bool:
        return left[line.function] > 0 and load[line] < places

    while places > 0:
        line = _next(turns, may)
        if line is None:
            break
        begun[line] = begun.get(line, 0) + 1
        load[line] += 1
        left[line.function] -= 1
        places -= 1
    return begun


def _next(turns: "EventLine | _Turns", may: Callable[[EventLine], bool]) -> EventLine | None:
    """Who has the next turn; whoever may not have one has none later either, as places only become fewer."""
    if isinstance(turns, EventLine):
        return turns if may(turns) else None
    while turns:
        first = turns.popleft()
        line = _next(first, may)
        if line is not None:
            turns.append(first)
            return line
    return None


def _turns(load: Mapping[EventLine, int]) -> _Turns:
    """Accounts, their functions, and their tenants. Who has least in progress comes first."""
    accounts: dict[str, dict[FunctionId, list[EventLine]]] = {}
    for line in load:
        functions = accounts.setdefault(line.function.account_id, {})
        functions.setdefault(line.function, []).append(line)
    groups = [
        _by_load([_by_load([(line, load[line]) for line in lines]) for lines in functions.values()])
        for functions in accounts.values()
    ]
    return _by_load(groups)[0]


def _by_load(members: "Sequence[tuple[EventLine | _Turns, int]]") -> tuple[_Turns, int]:
    """The members in the order of their load, and their load together."""
    ordered = sorted(members, key=lambda member: member[1])
    return deque(member for member, _ in ordered), sum(load for _, load in members)

"""Whose events run next: a pure rule.

Accounts take turns, and the functions of an account do. A function may not hold more places than are still free, so
that however much waits of one, and however long it runs, another's first event finds a place.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from lambent.model.function import FunctionId


def share_out(
    waiting: Sequence[FunctionId],
    running: Mapping[FunctionId, int],
    room: Callable[[FunctionId], int],
    free: int,
) -> dict[FunctionId, int]:
    """How many events of each function to begin now. `running` are those in progress, `room` says how many more of
    one the limits of concurrency allow, `free` is how many places there are."""
    load = {function: running.get(function, 0) for function in waiting}
    left = {function: room(function) for function in waiting}
    lines = _lines(load)
    begun: dict[FunctionId, int] = {}
    while free > 0 and lines:
        line = lines.popleft()
        while line:
            function = line.popleft()
            if left[function] <= 0 or load[function] >= free:
                continue  # it has what it may have
            begun[function] = begun.get(function, 0) + 1
            load[function] += 1
            left[function] -= 1
            free -= 1
            line.append(function)
            lines.append(line)
            break
    return begun


def _lines(load: Mapping[FunctionId, int]) -> deque[deque[FunctionId]]:
    """The functions by account; who has least in progress comes first."""
    accounts: dict[str, list[FunctionId]] = {}
    for function in load:
        accounts.setdefault(function.account_id, []).append(function)
    ordered = sorted(accounts.values(), key=lambda functions: sum(load[each] for each in functions))
    return deque(deque(sorted(functions, key=load.__getitem__)) for functions in ordered)

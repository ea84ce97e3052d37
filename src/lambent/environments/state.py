"""What an environment does, and what it may do next.

STARTING ──► IDLE ⇄ BUSY ──► STOPPED        IDLE ⇄ FROZEN
               └──────────────►┘
"""

from enum import Enum


class State(Enum):
    STARTING = "starting"
    IDLE = "idle"
    FROZEN = "frozen"
    BUSY = "busy"
    STOPPED = "stopped"

    __hash__ = object.__hash__  # Enum's own is Python code, and every invocation asks twice


ALLOWED = {
    State.STARTING: {State.IDLE, State.STOPPED},
    State.IDLE: {State.BUSY, State.FROZEN, State.STOPPED},
    State.FROZEN: {State.IDLE, State.STOPPED},
    State.BUSY: {State.IDLE, State.STOPPED},
    State.STOPPED: set[State](),
}

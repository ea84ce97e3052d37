"""Which sandbox backend runs the functions of this server. Never a weaker one than asked for, never silently."""

import os

from lambent.config import Settings
from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.port import SandboxBackend


class IsolationUnavailableError(Exception):
    """The isolation asked for cannot be had here; the message says what can be done."""


def choose_backend(settings: Settings) -> SandboxBackend:
    """Raises IsolationUnavailableError."""
    if os.geteuid() != 0:
        raise IsolationUnavailableError(
            "isolating functions needs root here: run it with sudo. `lambent doctor` says what is missing."
        )
    return NamespacesBackend(
        settings.data_dir / "sandboxes", uid_first=settings.uid_base, uid_count=settings.uid_count
    )

"""Which sandbox backend runs the functions of this server. Never a weaker one than asked for, never silently."""

import os
import sys

from lambent.config import Settings
from lambent.sandbox.port import SandboxBackend

_OTHERWISE = "--isolation process runs functions without any isolation: only for code that you trust"


class IsolationUnavailableError(Exception):
    """The isolation asked for cannot be had here; the message says what can be done."""


def choose_backend(settings: Settings) -> SandboxBackend:
    """Raises IsolationUnavailableError. What is not chosen is not imported: some of it knows only Linux."""
    match chosen_isolation(settings.isolation):
        case "namespaces":
            return _namespaces(settings)
        case "process":
            from lambent.sandbox.process_backend import ProcessBackend  # noqa: PLC0415

            return ProcessBackend(settings.data_dir / "sandboxes")
        case other:
            raise AssertionError(other)


def chosen_isolation(wanted: str) -> str:
    """The backend that is meant here by `wanted`: itself, or the strongest for "auto". Raises
    IsolationUnavailableError."""
    if wanted == "process":
        return wanted
    if sys.platform != "linux":
        raise IsolationUnavailableError(f"isolating functions needs Linux. {_OTHERWISE}")
    if os.geteuid() == 0:
        return "namespaces"
    raise IsolationUnavailableError(
        "isolating functions needs root here: run it with sudo. `lambent doctor` says what is missing. "
        + _OTHERWISE
    )


def _namespaces(settings: Settings) -> SandboxBackend:
    from lambent.sandbox.namespaces import NamespacesBackend  # noqa: PLC0415

    return NamespacesBackend(
        settings.data_dir / "sandboxes", uid_first=settings.uid_base, uid_count=settings.uid_count
    )

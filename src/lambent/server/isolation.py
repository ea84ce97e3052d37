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
    chosen = chosen_isolation(settings.isolation)
    if settings.function_network == "nat" and chosen != "namespaces":
        raise IsolationUnavailableError(
            f"--function-network nat needs --isolation namespaces, and so root: {chosen} has no other network to give"
        )
    match chosen:
        case "namespaces":
            return _namespaces(settings)
        case "userns":
            from lambent.sandbox.userns import UsernsBackend  # noqa: PLC0415

            return UsernsBackend(settings.data_dir / "sandboxes")
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
        if wanted == "userns":
            raise IsolationUnavailableError(
                "--isolation userns is for other users than root, who have --isolation namespaces, which is stronger"
            )
        return "namespaces"
    if wanted == "namespaces":
        raise IsolationUnavailableError(
            "--isolation namespaces needs root: run it with sudo, or take --isolation userns"
        )
    from lambent.sandbox.user_namespace import user_namespaces_missing  # noqa: PLC0415

    if (reason := user_namespaces_missing()) is not None:
        raise IsolationUnavailableError(f"{reason}; or run it as root. {_OTHERWISE}")
    return "userns"


def _namespaces(settings: Settings) -> SandboxBackend:
    from lambent.sandbox.namespaces import NamespacesBackend  # noqa: PLC0415
    from lambent.sandbox.outside import Outside, find_resolvers  # noqa: PLC0415

    outside = None
    if settings.function_network == "nat":
        outside = Outside(private=settings.function_network_private, resolvers=find_resolvers())
    return NamespacesBackend(
        settings.data_dir / "sandboxes",
        uid_first=settings.uid_base,
        uid_count=settings.uid_count,
        outside=outside,
    )


def images_refusal(backend: SandboxBackend) -> str | None:
    """Why functions of container images cannot run on this backend; None where they can."""
    if backend.isolation.backend != "process":
        return None
    return "Functions of container images need a root of their own, which --isolation process does not give."

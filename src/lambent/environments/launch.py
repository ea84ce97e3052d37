"""Starts the process of an environment that has its function already, and its extensions beside it."""

import contextlib
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lambent.environments import extensions
from lambent.environments.blank import Blank
from lambent.environments.extensions import ExtensionError
from lambent.environments.link import EntrypointError, WrapperError
from lambent.environments.output import Emit
from lambent.runtimes.install import EXEC_WRAPPER, RuntimeInstall
from lambent.sandbox.port import FORK_DESCRIPTOR, Process, StartError

_EXTENSIONS = "/opt/extensions/"
_DIRECTORY = "change to "
"""The step that fails where there is no such directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """`say` writes to the function's log, `say_beside` what extensions write."""

    install: RuntimeInstall
    say: Callable[[str], None]
    say_beside: Emit

    async def start(
        self, blank: Blank, variables: Mapping[str, str], beside: Sequence[str], *, copied: bool
    ) -> None:
        """Returns when the runtime is ready. `beside` are names of extensions; a process that will be `copied` is told
        where to wait for it. Raises LinkError, SandboxError."""
        argv = self.install.command(variables)
        wrapped = argv != self.install.argv and argv[:1] == (variables.get(EXEC_WRAPPER),)
        if wrapped and not argv[0].startswith("/"):
            raise self._without_wrapper(argv[0], errno.ENOENT)
        _require_absolute(argv)
        if copied:
            variables = {**variables, "_LAMBDA_FORK_FD": str(FORK_DESCRIPTOR)}
        process = Process(
            argv=argv, variables=variables, directory=self.install.directory, files=blank.files()
        )
        with contextlib.ExitStack() as ours:
            written = blank.output.open_beside(self.say_beside) if beside else -1
            companions = [_extension(name, blank, variables, written, ours) for name in beside]
            try:
                await blank.start(process, companions)
            except StartError as error:
                if _EXTENSIONS in str(error):
                    raise _extension_not_launched(blank, error) from error
                if wrapped and _DIRECTORY not in str(error):
                    raise self._without_wrapper(argv[0], error.errno) from error
                raise self._not_executed(argv[0], error) from error
        await blank.link.ready()

    def _not_executed(self, executable: str, error: StartError) -> EntrypointError:
        reason = os.strerror(error.errno).lower()
        if _DIRECTORY in str(error):
            return EntrypointError(f"chdir {self.install.directory}: {reason}")
        return EntrypointError(f"fork/exec {executable}: {reason}")

    def _without_wrapper(self, wrapper: str, number: int) -> WrapperError:
        code, what = (127, "does not exist") if number == errno.ENOENT else (126, "is not an executable")
        message = f"{wrapper}: {what}"
        self.say(f"{message}\n")
        return WrapperError(message, code)


def _extension(
    name: str, blank: Blank, variables: Mapping[str, str], written: int, ours: contextlib.ExitStack
) -> Process:
    """With a pipe that tells of its end."""
    life, held = os.pipe2(os.O_CLOEXEC)
    ours.callback(os.close, held)
    blank.extensions.watch(name, life)
    return Process(
        argv=(f"{_EXTENSIONS}{name}",),
        variables=extensions.variables_of(variables),
        files={1: written, 2: written, 3: held},
    )


def _extension_not_launched(blank: Blank, error: StartError) -> ExtensionError:
    message = f"{str(error).rpartition(':')[0]}: {os.strerror(error.errno).lower()}"
    name = message.partition(_EXTENSIONS)[2].partition(":")[0]
    blank.extensions.not_launched(name, "PermissionDenied" if error.errno == errno.EACCES else "UnknownError")
    return ExtensionError(message, "Extension.LaunchError")


def _require_absolute(argv: Sequence[str]) -> None:
    """What an image says to run may be nothing, or nowhere. Raises EntrypointError, as Go's os/exec words it."""
    if not argv:
        raise EntrypointError("exec: no command")
    if not argv[0].startswith("/"):
        raise EntrypointError(f'exec: "{argv[0]}": executable file not found in $PATH')

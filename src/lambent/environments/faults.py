"""How an environment's failures are told: AWS's error types and messages."""

import signal
from dataclasses import dataclass

from lambent.environments.extensions import ExtensionError
from lambent.environments.link import EntrypointError, ProtocolError, WrapperError, error_object
from lambent.environments.occupancy import Occupancy
from lambent.environments.platform_events import Status
from lambent.environments.surroundings import Trees
from lambent.environments.time_limit import InvocationTimeoutError
from lambent.runtimes.identifiers import is_custom
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Exit

# As Go's os.ProcessState, which AWS's runtime supervisor prints, words them.
_SIGNAL_WORDS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
    signal.SIGSYS: "bad system call",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an environment is lost. `message` goes into the log and, with the request id before it, to the caller."""

    message: str
    error_type: str
    status: Status
    reported_type: str | None = None
    """In REPORT, where AWS has another type there."""

    def payload(self, request_id: str) -> bytes:
        return error_object(f"RequestId: {request_id} Error: {self.message}", self.error_type)


async def fault_of(
    error: Exception, occupancy: Occupancy, install: RuntimeInstall, trees: Trees, timeout_seconds: float
) -> Fault:
    """What a link that has failed means: it may have been closed because an extension, or the process, has ended."""
    failure = error if isinstance(error, ExtensionError) else occupancy.extension_failure
    if failure is not None:
        return Fault(str(failure), failure.error_type, "error")
    match error:
        case InvocationTimeoutError():
            return timed_out(timeout_seconds)
        case EntrypointError():
            return invalid_entrypoint(str(error))
        case ProtocolError():
            return broken_protocol(str(error))
        case WrapperError():
            exit: Exit | None = Exit(code=error.code)
        case _:
            exit = await occupancy.exit()
    if is_custom(install.identifier) and not occupancy.initialized:
        return never_started(exit, has_bootstrap=trees.has_bootstrap) or exited(exit)
    return exited(exit)


def timed_out(timeout_seconds: float) -> Fault:
    return Fault(f"Task timed out after {timeout_seconds:.2f} seconds", "Sandbox.Timedout", "timeout")


def exited(exit: Exit | None) -> Fault:
    """`exit` is None where the runtime hung up and did not end."""
    if exit is not None and exit.signal is not None:
        words = _SIGNAL_WORDS.get(exit.signal, f"signal {exit.signal}")
        reported = "Runtime.OutOfMemory" if exit.out_of_memory else None
        return Fault(f"Runtime exited with error: signal: {words}", "Runtime.ExitError", "error", reported)
    if exit is not None and exit.code:
        return Fault(f"Runtime exited with error: exit status {exit.code}", "Runtime.ExitError", "error")
    return Fault("Runtime exited without providing a reason", "Runtime.ExitError", "error")


def broken_protocol(reason: str) -> Fault:
    return Fault(f"Runtime failed: {reason}", "Runtime.Unknown", "error")


def invalid_entrypoint(message: str) -> Fault:
    return Fault(message, "Runtime.InvalidEntrypoint", "error")


def never_started(exit: Exit | None, *, has_bootstrap: bool) -> Fault | None:
    """The fault of a custom runtime that ended before Init was over, where that is for want of a bootstrap.

    Its launcher exits as a shell does: 126 where the bootstrap cannot be executed. A bootstrap that is there may exit
    with 127 for reasons of its own."""
    if exit is not None and exit.code == 127 and not has_bootstrap:
        return invalid_entrypoint("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
    if exit is not None and exit.code == 126:
        return invalid_entrypoint("fork/exec bootstrap: permission denied")
    return None

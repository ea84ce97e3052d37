"""A blank that has become a function version's: its code attached, its runtime initialized, until its sandbox ends.

An environment has one at a time, and another where its Init must be run again.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping

from lambent.environments.blank import Blank
from lambent.environments.channel import Channel
from lambent.environments.container_credentials import ContainerCredentials
from lambent.environments.extensions import ExtensionError, Extensions, ExtensionState
from lambent.environments.init_settings import init_settings, told_to_extensions, told_to_subscribers
from lambent.environments.launch import Launch
from lambent.environments.link import Link, LinkClosedError, Reply
from lambent.environments.log_lines import runtime_version
from lambent.environments.platform_events import Init, PlatformEvent, Status, init_runtime_done, init_start
from lambent.environments.recorder import Recorder
from lambent.environments.surroundings import Surroundings, Trees
from lambent.environments.telemetry import Telemetry
from lambent.environments.variables import LOG_STREAM_NAME, access_key_variables, environment_variables
from lambent.environments.zygotes import lineage_of
from lambent.model.credential import Credential
from lambent.model.function import FunctionVersion
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import Exit, SandboxError

log = logging.getLogger(__name__)

_CPU_PER_MB = 1 / 1769
"""AWS gives one vCPU at 1,769 MB, and in proportion below and above."""
_MEMORY_SAMPLE_SECONDS = 0.25
_EXIT_SECONDS = 1.0
_DESTROY_SECONDS = 5.0
_DEFAULT_TMP_MIB = 512


class Occupancy:
    def __init__(
        self,
        version: FunctionVersion,
        install: RuntimeInstall,
        trees: Trees,
        surroundings: Surroundings,
        recorder: Recorder,
        note: Callable[[PlatformEvent], None],
        *,
        init: Init,
        template: bool = False,
    ) -> None:
        """`note` is told of what happens in Init, but for its end. A `template` is initialized to be copied."""
        self._template = template
        self._version = version
        self._install = install
        self._trees = trees
        self._note = note
        self._init = init
        self._told: list[PlatformEvent] = []
        """Of this Init."""
        self.runtime_done = False
        """Whether the runtime's part of Init is over, and told of."""
        self._around = surroundings
        self._recorder = recorder
        self._monotonic = surroundings.clock.monotonic
        self._blank: Blank | None = None
        self._ending: asyncio.Task[None] | None = None
        self._memory_mb = 0
        self._memory_read_at = -math.inf
        self.initialized = False

    @property
    def link(self) -> Link:
        assert self._blank is not None
        return self._blank.link

    @property
    def alive(self) -> bool:
        """Whether there is a process inside, or may be soon."""
        return self._ending is None and not (self._blank is not None and self._blank.sandbox.exited.done())

    async def boot(self) -> Reply:
        """Takes a blank, makes it this function's, and initializes its runtime: "initialized" or "init_failed".

        Raises LinkError for the runtime, SandboxError, and ServiceException for the role."""
        self._begin()
        version = await self._around.reveal(self._version)
        if self._init.restores:
            return await self._restore(version)
        # Credentials are read while the sandbox is made ready: both wait more than they work.
        issuing = asyncio.ensure_future(self._issue())
        try:
            await asyncio.sleep(0)  # it begins
            return await self._boot(version, issuing)
        finally:
            issuing.cancel()

    def _issue(self) -> Awaitable[Credential]:
        return self._around.credentials.issue(self._version.role, self._version.function.name)

    async def _boot(self, version: FunctionVersion, issuing: "asyncio.Future[Credential]") -> Reply:
        beside = self._trees.extensions()
        blank = await self._take_blank(version, alone=not beside)
        started = blank.started
        await self._move_into(blank)
        if version.ephemeral_storage != _DEFAULT_TMP_MIB:
            await blank.sandbox.resize_tmp(version.ephemeral_storage)
        blank.sandbox.limit_memory(version.memory_size)
        await blank.sandbox.seal(self._trees.binds())
        credentials: Mapping[str, str] = access_key_variables(await issuing)
        if self._template:
            held = ContainerCredentials(self._issue)
            blank.credentials, credentials = held.handle, held.variables
        variables = environment_variables(
            version,
            self._install.static_variables,
            credentials,
            self._recorder.stream_name,
            initialization_type=self._init.initialization_type,
        )
        variables = blank.sandbox.translate(variables)
        blank.extensions.expect(beside, told_to_extensions(self._version))
        blank.extensions.failed = blank.link.close
        if not blank.started:
            launch = Launch(
                install=self._install, say=self._recorder.emit, say_beside=self._emit_of_extensions
            )
            await launch.start(blank, variables, beside, copied=self._template)
        if beside:  # as on AWS, they may subscribe to what the runtime does from its start
            await blank.extensions.registered_all()
        # A process that was executed with its variables keeps what a wrapper script has made of them.
        told = init_settings(version, self._recorder.stream_name, variables if started else None)
        reply = await blank.link.initialize(told)
        self._runtime_is_done(reply)
        if self.initialized and blank.extensions.present:
            await blank.extensions.initialized()
        else:
            blank.extensions.close_registration()
        # As on AWS, Init runs at full speed; only invocations have the share of CPU that their memory buys.
        blank.sandbox.limit_cpu(version.memory_size * _CPU_PER_MB)
        return reply

    async def _take_blank(self, version: FunctionVersion, *, alone: bool) -> Blank:
        """Whose runtime runs already, where that cannot make a difference."""
        install, blanks = self._install, self._around.blanks
        if self._template:
            return await blanks.make_to_copy(install)
        variables = version.variables or {}
        started = alone and install.exec_time_variables.isdisjoint(variables) and blanks.starts(install)
        return await blanks.take(
            install, started=started, lineage=lineage_of(version, with_sdk=self._trees.with_sdk)
        )

    async def _move_into(self, blank: Blank) -> None:
        """Raises LinkClosedError where the environment was stopped meanwhile."""
        self._blank = blank
        if self._ending is not None:
            self._ending = None
            await self.end()
            raise LinkClosedError("the environment was stopped")
        blank.output.emit = self._recorder.emit
        blank.extensions.open_telemetry = self._open_telemetry
        blank.output.after_read = self._around.logs.hold_back
        blank.sandbox.exited.add_done_callback(lambda _: blank.link.close())

    async def _restore(self, version: FunctionVersion) -> Reply:
        """In the place of `_boot`, for a version that has a snapshot."""
        around = self._around
        assert around.snapshots is not None
        assert around.make_template is not None
        blank = await around.snapshots.restore(self._version, around.make_template)
        await self._move_into(blank)
        blank.sandbox.limit_memory(version.memory_size)
        # The one variable in which it differs from what was initialized.
        variables = {LOG_STREAM_NAME: self._recorder.stream_name}
        assert isinstance(blank.link, Channel)
        told = init_settings(version, self._recorder.stream_name, variables)
        reply = await blank.link.restore(told)
        self._runtime_is_done(reply)
        blank.extensions.close_registration()
        blank.sandbox.limit_cpu(version.memory_size * _CPU_PER_MB)
        return reply

    def _runtime_is_done(self, reply: Reply) -> None:
        """With its part of Init."""
        self.initialized = reply.kind == "initialized"
        status: Status = "success" if self.initialized else "error"
        self.runtime_done = True
        done = init_runtime_done(self._init, self._around.clock.now(), status, reply.error_type)
        self._told.append(done)
        self._note(done)

    async def become_template(self) -> Reply:
        """After `boot`: from here on copies can be made. Raises LinkError."""
        assert self._blank is not None
        assert isinstance(self._blank.link, Channel)
        return await self._blank.link.snapshot()

    @property
    def blank(self) -> Blank:
        assert self._blank is not None
        return self._blank

    def _begin(self) -> None:
        version, install = self._version, self._install
        begun = init_start(
            self._init,
            self._around.clock.now(),
            # The runtime of an image is nobody's business but its own.
            runtime_version=""
            if install.from_image
            else runtime_version(install.identifier, install.version),
            runtime_version_arn=version.runtime_version_arn,
            function=told_to_subscribers(version, self._recorder.stream_name),
        )
        self._told.append(begun)
        if self._init.phase == "init":  # of one in an invocation, the log has the report only
            self._note(begun)

    @property
    def extensions(self) -> Extensions | None:
        """Where there are any."""
        return self._blank.extensions if self._blank is not None and self._blank.extensions.present else None

    def extension_states(self) -> list[ExtensionState]:
        return self._blank.extensions.states() if self._blank is not None else []

    @property
    def telemetry(self) -> Telemetry | None:
        """Where somebody has subscribed."""
        return self._blank.extensions.telemetry if self._blank is not None else None

    @property
    def extension_failure(self) -> ExtensionError | None:
        return self._blank.extensions.failure if self._blank is not None else None

    async def shut_down(self, reason: str, now: float) -> None:
        """Gives extensions the time to end by themselves. `reason` is SPINDOWN, TIMEOUT or FAILURE."""
        if self._blank is not None and self._ending is None and self._blank.extensions.present:
            self.thaw()
            await self._blank.extensions.shut_down(reason, now)

    async def exit(self) -> Exit | None:
        """How the process ended; None where it has not, within a moment, or never began."""
        if self._blank is None:
            return None
        exited = self._blank.sandbox.exited
        await asyncio.wait([exited], timeout=_EXIT_SECONDS)
        return exited.result() if exited.done() and not exited.cancelled() else None

    def flush_output(self) -> None:
        """What was written without a newline becomes an event now: an invocation is over."""
        if self._blank is not None and self._ending is None:
            self._blank.output.flush()

    def max_memory_mb(self) -> int:
        """Read from the kernel a few times a second at most: it only ever grows, and reading costs a system call."""
        now = self._monotonic()
        if now - self._memory_read_at > _MEMORY_SAMPLE_SECONDS and self._ending is None:
            self._memory_read_at = now
            self._read_memory()
        return self._memory_mb

    def freeze(self) -> None:
        """Stops what runs inside. What dies meanwhile is found dead by the next look at it."""
        if self._blank is not None and self._ending is None:
            with contextlib.suppress(SandboxError):
                self._blank.sandbox.freeze()
            if self._blank.extensions.telemetry is not None:
                self._blank.extensions.telemetry.pause()

    def thaw(self) -> None:
        if self._blank is not None and self._ending is None:
            with contextlib.suppress(SandboxError):  # dead: the invocation will say so
                self._blank.sandbox.thaw()
            if self._blank.extensions.telemetry is not None:
                self._blank.extensions.telemetry.resume()

    async def end(self) -> None:
        """Ends what runs inside. Somebody waits for us: not for ever, where the kernel does not let go of a process.
        Idempotent; `ended` waits as long as it takes."""
        if self._ending is None:
            # The last reading, while there is something to read.
            self._read_memory()
            self._ending = asyncio.get_running_loop().create_task(self._destroy())
        done, _ = await asyncio.wait([self._ending], timeout=_DESTROY_SECONDS)
        if not done:
            log.error("a sandbox of %s does not end", self._version.arn())

    async def ended(self) -> None:
        """Returns when nothing is left, the mounts of the code among it."""
        await self.end()
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _destroy(self) -> None:
        if self._blank is None:
            return
        try:
            await self._blank.destroy()
        except Exception:
            log.exception("sandbox %s of %s", self._blank.sandbox.id, self._version.arn())

    def _open_telemetry(self) -> Telemetry:
        """For the first extension that subscribes; who does hears of this Init from its start."""
        assert self._blank is not None
        clock, structured = self._around.clock, self._version.logging.log_format == "JSON"
        telemetry = Telemetry(self._blank.sandbox.make_socket, clock.now, self._note, structured=structured)
        for event in self._told:
            telemetry.take(event)
        self._blank.output.emit = self._emit_and_tell
        return telemetry

    def _emit_and_tell(self, message: str, at_ms: int | None = None) -> None:
        self._recorder.emit(message, at_ms)
        if (telemetry := self.telemetry) is not None:
            telemetry.take_output("function", message, at_ms)

    def _emit_of_extensions(self, message: str, at_ms: int | None = None) -> None:
        self._recorder.emit(message, at_ms)
        if (telemetry := self.telemetry) is not None:
            telemetry.take_output("extension", message, at_ms)

    def _read_memory(self) -> None:
        if self._blank is not None:
            used = math.ceil(self._blank.sandbox.memory_peak_bytes() / (1 << 20))
            self._memory_mb = max(1, min(used, self._version.memory_size))

"""The warm environments of one function version, and how an invocation gets one.

The most recently used is taken first, so that a quiet function's surplus ages, freezes and ends. Who finds none waits
in order: for the one that is made on its behalf or for the next that becomes free, whichever is sooner. What is
provisioned comes before all.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lambent.base.tasks import Tasks
from lambent.environments.environment import Environment
from lambent.environments.provisioned import Provisioned, ProvisionedInitError
from lambent.environments.start_rate import StartRate
from lambent.environments.state import State
from lambent.environments.surroundings import Surroundings, Trees
from lambent.model.error import ServiceException
from lambent.model.function import FunctionVersion
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import ServiceException_
from lambent.runtimes.install import RuntimeInstall
from lambent.sandbox.port import SandboxError

log = logging.getLogger(__name__)

Prepare = Callable[[FunctionVersion], Awaitable[tuple[RuntimeInstall, Trees]]]
"""Finds the runtime and unpacks the code of a version. Raises a ServiceException where it cannot run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """In seconds. An environment is frozen when idle for `freeze_after`, ended when idle for `idle_expiry`, and not
    used again when older than `age_most` (its role's credentials expire)."""

    freeze_after: float
    idle_expiry: float
    age_most: float


class EnvironmentFailedError(ServiceException):
    """No environment could be made, and so nothing was run. Retrying is right: the cause is this host."""

    status = 500
    _code = "ServiceException"


class Pool:
    """The environments of one version, in one configuration."""

    def __init__(
        self,
        version: FunctionVersion,
        prepare: Prepare,
        surroundings: Surroundings,
        tasks: Tasks,
        lifetimes: Lifetimes,
        rate: StartRate,
    ) -> None:
        self.version = version
        self.retired = False
        self._prepare = prepare
        self._around = surroundings
        self._monotonic = surroundings.clock.monotonic
        self._lifetimes = lifetimes
        self._rate = rate
        self._tasks = tasks
        self._idle: list[Environment] = []
        self.busy = 0
        self.starting = 0
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self.provisioned = Provisioned(self._make_provisioned, self._end, self._monotonic)
        self.restless = False
        """Whether an idle environment is not frozen yet."""

    async def invoke(self, invocation: Invocation, ended: Callable[[], None]) -> InvocationResult:
        try:
            if self.provisioned.idle:
                environment = self.provisioned.take()
            else:
                if self.provisioned.wanted:
                    self.provisioned.spill()
                environment = self._idle.pop() if self._idle else await self._wait()
        except BaseException:
            ended()
            raise
        self.busy += 1
        try:
            result = await environment.invoke(invocation)
        except asyncio.CancelledError:
            self._tasks.start(self._finish(environment, ended), "go on without the caller")
            raise
        except Exception as error:
            environment.reusable = False
            self._release(environment)
            ended()
            raise (self._broken_off(error) if environment.given else self._told(error)) from error
        if environment.settling:
            self._tasks.start(self._finish(environment, ended), "wait for extensions")
            return result
        self._release(environment)
        ended()
        return result

    async def _finish(self, environment: Environment, ended: Callable[[], None]) -> None:
        """The caller went away or has been answered; the invocation goes on, and its environment is busy until it is
        over, also for its extensions."""
        try:
            await environment.wait_over()
            if environment.settling:
                await environment.settle()
        except BaseException:
            environment.reusable = False
            raise
        finally:
            self._release(environment)
            ended()

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def size(self) -> int:
        return len(self._idle) + len(self.provisioned.idle) + self.busy + self.starting

    @property
    def deserted(self) -> bool:
        return self.size == 0 and not self._waiting and not self.provisioned.wanted

    async def _wait(self) -> Environment:
        self._rate.take(self._monotonic())
        waiting: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._start_missing()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif not waiting.cancelled() and waiting.exception() is None:
                self._offer(waiting.result())
            raise

    def _start_missing(self) -> None:
        """As many are being started as there are callers who wait."""
        while self.starting < len(self._waiting):
            self.starting += 1
            self._tasks.start(self._start_one(), f"start an environment of {self.version.arn()}")

    async def _start_one(self) -> None:
        environment: Environment | None = None
        try:
            install, trees = await self._prepare(self.version)
            environment = Environment(self.version, install, trees, self._around)
            await environment.start()
        except BaseException as error:
            self.starting -= 1
            self._fail_one(self._told(error))
            if environment is not None:
                await environment.stop()
            if not isinstance(error, Exception):
                raise
            return
        self.starting -= 1
        self._hand_over(environment)

    async def _make_provisioned(self) -> None:
        """Raises whatever is in the way, ProvisionedInitError for the function's own failure."""
        install, trees = await self._prepare(self.version)
        environment = Environment(self.version, install, trees, self._around, provisioned=True)
        try:
            await environment.start()
            if not environment.initialized:
                raise ProvisionedInitError
        except BaseException:
            await environment.stop()
            raise
        if self.provisioned.admit(environment):
            self._hand_over(environment)

    def provision(self, wanted: int) -> None:
        """Keeps so many environments initialized ahead, from now on."""
        self.provisioned.want(0 if self.retired else wanted, self._tasks)

    def _fail_one(self, error: ServiceException) -> None:
        """To the caller for whom no other environment is on its way."""
        while len(self._waiting) > self.starting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(error)
                return

    def _told(self, error: BaseException) -> ServiceException:
        """What the caller is told; what only our log shall tell is told there."""
        if isinstance(error, ServiceException):
            return error
        if isinstance(error, asyncio.CancelledError):
            return EnvironmentFailedError("The server is ending.")
        log.error(
            "no environment for %s: %s",
            self.version.arn(),
            error or type(error).__name__,
            exc_info=None if isinstance(error, SandboxError) else error,
        )
        return EnvironmentFailedError(
            "The service could not make an execution environment; see the server's log."
        )

    def _broken_off(self, error: Exception) -> ServiceException:
        """What the caller is told of an invocation that may have been run: nobody runs it again unasked."""
        log.error("an invocation of %s was broken off", self.version.arn(), exc_info=error)
        return ServiceException_("The invocation was broken off; see the server's log.")

    def _offer(self, environment: Environment) -> None:
        """Takes back one that was in use, or meant for a caller who has left."""
        if environment.reusable and not environment.ended:
            self._hand_over(environment)
        else:
            self._end(environment)
            self._start_missing()

    def _hand_over(self, environment: Environment) -> None:
        """To who waits longest, or to the idle ones. Who waits here is served from here even if the function has
        changed meanwhile: the version to run was chosen when the invocation came."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(environment)
                return
        if self.retired:
            self._end(environment)
        else:
            self._rest(environment)

    def _rest(self, environment: Environment) -> None:
        if environment.provisioned:
            self.provisioned.rest(environment)
        else:
            self._idle.append(environment)
        self.restless = True

    def _release(self, environment: Environment) -> None:
        self.busy -= 1
        if environment.reusable and not self.retired and not self._waiting:
            self._rest(environment)
        else:
            self._offer(environment)

    def _end(self, environment: Environment) -> None:
        if environment.provisioned:
            self.provisioned.lost(environment)
        self._tasks.start(environment.stop(), f"stop an environment of {self.version.arn()}")

    def retire(self) -> None:
        """This configuration serves no more: idle environments end now, busy ones when they are done."""
        self.retired = True
        self.provisioned.want(0, self._tasks)
        idle, self._idle = self._idle, []
        for environment in idle:
            self._end(environment)

    def sweep(self) -> None:
        """Freezes what is idle, ends what is too old or has died. The oldest come first."""
        self.restless = False
        self._idle = self._swept(self._idle, self._lifetimes.idle_expiry)
        self.provisioned.idle = self._swept(self.provisioned.idle, math.inf)
        self.provisioned.start_missing(self._tasks)

    def _swept(self, environments: list[Environment], idle_expiry: float) -> list[Environment]:
        """Those that stay."""
        now = self._monotonic()
        keep: list[Environment] = []
        for environment in environments:
            idle_seconds = now - environment.idle_since
            too_old = now - environment.created_at > self._lifetimes.age_most
            if idle_seconds > idle_expiry or too_old or environment.ended:
                self._end(environment)
                continue
            if environment.state is State.IDLE:
                if idle_seconds > self._lifetimes.freeze_after:
                    environment.freeze()
                else:
                    self.restless = True
            keep.append(environment)
        return keep

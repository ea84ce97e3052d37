"""How a template of a version with SnapStart is made: Init as of any environment, then the snapshot."""

import asyncio

from lambent.environments.link import LinkError
from lambent.environments.log_lines import log_lines
from lambent.environments.occupancy import Occupancy
from lambent.environments.platform_events import Init, PlatformEvent
from lambent.environments.pool import Prepare
from lambent.environments.recorder import Recorder
from lambent.environments.snapshots import SnapshotError, Template
from lambent.environments.surroundings import Surroundings
from lambent.model.function import FunctionVersion

INIT_SECONDS = 130.0
"""Or the function's timeout, where that is longer."""


async def make_template(version: FunctionVersion, prepare: Prepare, around: Surroundings) -> Template:
    """Raises SnapshotError, SandboxError, ServiceException."""
    install, trees = await prepare(version)
    if not install.copyable:
        trees.release()
        raise SnapshotError(
            "InvalidConfiguration", "A runtime that this host takes from an image has no SnapStart here."
        )
    if trees.extensions():
        trees.release()
        raise SnapshotError("InvalidConfiguration", "External extensions cannot be part of a snapshot here.")
    lines = log_lines(version.logging.log_format, version.logging.system_log_level)
    recorder = Recorder.of_version(version, around.logs, around.clock)

    def note(event: PlatformEvent) -> None:
        recorder.emit(lines.line(event), int(event.at * 1000))

    init = Init(initialization_type="snap-start")
    occupancy = Occupancy(version, install, trees, around, recorder, note, init=init, template=True)

    async def end() -> None:
        await occupancy.ended()
        trees.release()

    try:
        await _initialize(occupancy, max(INIT_SECONDS, version.timeout))
        occupancy.flush_output()
    except BaseException:
        await end()
        raise
    return Template(blank=occupancy.blank, end=end)


async def _initialize(occupancy: Occupancy, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            reply = await occupancy.boot()
            if reply.kind == "initialized":
                reply = await occupancy.become_template()
    except TimeoutError as error:
        raise SnapshotError(
            "FunctionError.InitTimeout", f"Initialization took more than {seconds:g} s."
        ) from error
    except LinkError as error:
        message = f"The runtime ended before the snapshot was taken: {error}"
        raise SnapshotError("FunctionError.RuntimeInitError", message) from error
    if reply.kind != "initialized":
        message = f"Initialization failed: {reply.payload.decode(errors='replace')[:1000]}"
        raise SnapshotError("FunctionError.RuntimeInitError", message)

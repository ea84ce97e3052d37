"""The private /tmp of a sandbox: a small file system of its own, limited in size, on disk rather than in memory.

An ext4 image is made once for each size; a sandbox gets a sparse copy without a name, behind a loop device that the
kernel detaches with the last mount. So whoever is killed, nothing stays. About 1 ms each. Where that cannot be
(no loop devices, no mkfs.ext4), a tmpfs, whose files count against the sandbox's memory limit."""

import asyncio
import errno
import fcntl
import os
import shutil
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lambent.sandbox import mounts
from lambent.sandbox.port import SandboxError
from lambent.sandbox.scratch_memory import make_tmpfs
from lambent.sandbox.steps import StepError, step

_LOOP_CTL_GET_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A
_LO_FLAGS_AUTOCLEAR = 4
_LO_FLAGS_DIRECT_IO = 16
_LOOP_TRIES = 1000
_BLOCK_BYTES = 4096

_ATTRIBUTES = mounts.ATTR_NOSUID | mounts.ATTR_NODEV
_RESERVED_MIB_MAX = 16  # what ext4 keeps back for itself: 2 %, at most 4,096 blocks
_FILES_MIN = 16_384
_TRIAL_MIB = 8
_DETACH_TRIES = 400
_DETACH_PAUSE_S = 0.005


class Scratch:
    """One file system for a /tmp: `mount` is its detached mount, until the sandbox has placed it."""

    def __init__(self, mount: int, loop: str | None) -> None:
        self.mount = mount
        self._loop = loop
        self._attached = _attachment(loop) if loop else ""

    def release(self) -> None:
        """Gives up our descriptor; the mount lives where it was placed, or ends."""
        if self.mount >= 0:
            os.close(self.mount)
            self.mount = -1

    def wait_gone(self) -> None:
        """Blocks until the kernel, which unmounts a moment after the last process, has let go of the device."""
        if self._loop is None:
            return
        for _ in range(_DETACH_TRIES):
            if _attachment(self._loop) != self._attached:
                return
            time.sleep(_DETACH_PAUSE_S)
        raise SandboxError(f"/dev/{self._loop} is still attached")


class ScratchMaker:
    """Makes file systems for /tmp, their templates below `directory`. Safe to use concurrently."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "lambent-scratch"
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="scratch")
        self._template_lock = threading.Lock()
        self.on_disk = False

    def open(self) -> str | None:
        """Why file systems for /tmp will be in memory, with what mends it; None where they will be on disk."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True, mode=0o700)
        reason = loop_devices_missing()
        if reason is None:
            try:
                scratch = self._make_on_disk(_TRIAL_MIB)
            except (StepError, SandboxError) as error:
                return f"{error}: keep the state directory on ext4 or xfs, and allow loop devices"
            scratch.release()
            scratch.wait_gone()
        self.on_disk = reason is None
        return reason

    def close(self) -> None:
        self._threads.shutdown()
        shutil.rmtree(self._directory, ignore_errors=True)

    async def make(self, mib: int) -> Scratch:
        """Of `mib` MiB, empty, for everybody. Raises SandboxError."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._make, mib)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(lambda done: None if done.exception() else done.result().release())
            raise

    def _make(self, mib: int) -> Scratch:
        try:
            return self._make_on_disk(mib) if self.on_disk else Scratch(make_tmpfs(mib), None)
        except StepError as error:
            raise SandboxError(f"make /tmp: {error}") from error

    def _make_on_disk(self, mib: int) -> Scratch:
        image = _copy(self._template(mib), self._directory)
        try:
            device, loop = _attach(image)
        finally:
            os.close(image)
        return Scratch(_mount(device, loop), loop)

    def _template(self, mib: int) -> Path:
        path = self._directory / f"{mib}.ext4"
        with self._template_lock:
            if not path.exists():
                unfinished = path.with_suffix(".new")
                unfinished.unlink(missing_ok=True)  # left where the disk was full
                _make_file_system(unfinished, mib)
                _empty(unfinished)
                unfinished.rename(path)
        return path


def loop_devices_missing() -> str | None:
    """Why /tmp cannot be on disk here; None if it can."""
    if not Path("/dev/loop-control").exists():
        return "/dev/loop-control is missing: modprobe loop"
    if not os.access("/dev/loop-control", os.R_OK | os.W_OK):
        return "/dev/loop-control may not be opened: run as root"
    if _mkfs() is None:
        return "mkfs.ext4 is missing: apt install e2fsprogs"
    return None


def _mkfs() -> str | None:
    return shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin")


def _make_file_system(path: Path, mib: int) -> None:
    program = _mkfs()
    if program is None:
        raise SandboxError("make /tmp: mkfs.ext4 is missing")
    files = max(_FILES_MIN, mib * 16)
    overhead_mib = 2 + files * 256 // (1 << 20) + min(_RESERVED_MIB_MAX, mib // 48 + 1) + mib // 512
    with step(f"make {path}"), path.open("xb") as file:
        os.ftruncate(file.fileno(), (mib + overhead_mib) << 20)
    # Nothing here is worth a journal: the file system dies with its sandbox. Tables are zeroes by being holes.
    features = "^has_journal,^resize_inode,sparse_super2"
    extended = "lazy_itable_init=1,nodiscard,packed_meta_blocks=1,root_owner=0:0"
    pid = os.posix_spawn(
        program,
        [
            *("mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(_BLOCK_BYTES), "-N", str(files)),
            *("-O", features, "-E", extended, str(path)),
        ],
        {},
    )
    if (status := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) != 0:
        raise SandboxError(f"make /tmp: mkfs.ext4 ended with status {status}")


def _empty(image: Path) -> None:
    """Once for all copies: without the lost+found that mkfs leaves, and as a /tmp is, root's and for everybody."""
    with step(f"open {image}"), image.open("r+b") as file:
        device, loop = _attach(file.fileno())
    scratch = Scratch(_mount(device, loop), loop)
    try:
        with step("empty the /tmp image"):
            root = Path(f"/proc/self/fd/{scratch.mount}")
            (root / "lost+found").rmdir()
            root.chmod(0o1777)
    finally:
        scratch.release()
        scratch.wait_gone()


def _mount(device: int, loop: str) -> int:
    """A detached mount of the file system on a loop device, which is closed."""
    try:
        with step(f"mount /dev/{loop}"):
            options = {"source": f"/dev/{loop}", "noinit_itable": None}
            return mounts.make_filesystem_mount("ext4", _ATTRIBUTES, options)
    finally:
        os.close(device)


def _copy(template: Path, directory: Path) -> int:
    """A copy without a name; a descriptor. Only the parts with data are written."""
    with step("copy the /tmp image"), template.open("rb", buffering=0) as source:
        copy = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(source.fileno()).st_size
            os.ftruncate(copy, size)
            for start, length in _data(source.fileno(), size):
                os.pwrite(copy, os.pread(source.fileno(), length, start), start)
        except BaseException:
            os.close(copy)
            raise
        return copy


def _data(descriptor: int, size: int) -> list[tuple[int, int]]:
    found, end = [], 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                break
            raise
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        found.append((start, end - start))
    return found


def _attach(image: int) -> tuple[int, str]:
    """A descriptor of a loop device over `image`, and its name. Direct, so that no byte is cached twice."""
    with step("attach a loop device"):
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
        try:
            for _ in range(_LOOP_TRIES):
                number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
                device = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.ioctl(device, _LOOP_CONFIGURE, _loop_config(image))
                except OSError as error:
                    os.close(device)
                    if error.errno != errno.EBUSY:  # somebody else took the free one first
                        raise
                else:
                    return device, f"loop{number}"
        finally:
            os.close(control)
        raise OSError(errno.EBUSY, "no free loop device")


def _loop_config(image: int) -> bytes:
    """struct loop_config: descriptor, block size, struct loop_info64, eight reserved words."""
    flags = _LO_FLAGS_AUTOCLEAR | _LO_FLAGS_DIRECT_IO
    info = struct.pack("<5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, flags, b"lambent", b"", b"", 0, 0)
    return struct.pack("<2I", image, _BLOCK_BYTES) + info + bytes(64)


def _attachment(loop: str) -> str:
    """Tells one use of a loop device from the next; empty where nothing is attached. The sequence number is there
    since Linux 5.15."""
    backing = _read(f"/sys/block/{loop}/loop/backing_file")
    return backing and backing + _read(f"/sys/block/{loop}/diskseq")


def _read(path: str) -> str:
    """Empty where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 4096).decode(errors="surrogateescape")
    except OSError:  # it was detached meanwhile
        return ""
    finally:
        os.close(descriptor)

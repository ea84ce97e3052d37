"""The artifact store: what is put is found by its SHA-256, and unpacked once for all who mount it.

    zips/<sha256>             what was uploaded
    unpacked/<sha256>/        its files
    merged/<key>/tree/        layers over each other; merged/<key>/digests says which
    temporary/                what is being made or removed; emptied at `open`

Nodes that share a database share zips/, too, in a directory of all (beside it a temporary/ of each); what is made of
them each node has for itself. What was put an hour ago at the latest stays: its function may not be stored yet.

What has its name is whole: it was made in `temporary`, synced, then renamed. One process owns the directory,
and all decisions fall on its event loop, so a step between two awaits is atomic; only the file work is done
in threads.

When may a tree be removed? A bind mount keeps the mounted directory's inode alive, but not its contents:
removing a tree unlinks the files one by one, and whoever has it mounted sees them vanish. So whoever mounts a
tree holds it (`hold`) until its environment is destroyed, and a held tree is never removed. Between being
told of a tree and holding it, or between `put` and the function that refers to it being stored, lies time:
what was named in the last hour stays. After a restart there are no environments and no half-done deployments,
so both are rightly forgotten then.
"""

import asyncio
import hashlib
import re
import time
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from io import BytesIO
from pathlib import Path

from lambent.artifacts.archive import ZipSummary, extract, summarize
from lambent.artifacts.durable import making, publish, remove, write_file
from lambent.artifacts.errors import ArtifactInUseError, ArtifactNotFoundError
from lambent.artifacts.layering import lay_over, tree_size
from lambent.base.clock import Clock, SystemClock
from lambent.base.disk import sync_file_system
from lambent.base.ids import new_token
from lambent.model.function import CodeReference

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEEP_SECONDS = 3600.0
_PIECE_BYTES = 256 * 1024
_HASHED_AT_ONCE_BYTES = 64 * 1024


class Hold:
    """A tree that stays until `release`."""

    def __init__(self, tree: Path, release: Callable[[Path], None]) -> None:
        self.tree = tree
        self._release: Callable[[Path], None] | None = release

    def release(self) -> None:
        """Idempotent."""
        if self._release is not None:
            self._release(self.tree)
            self._release = None


class ArtifactStore:
    def __init__(
        self, directory: Path, *, shared: Path | None = None, node: str = "", clock: Clock | None = None
    ) -> None:
        self._is_shared = shared is not None
        self._zips = (shared or directory) / "zips"
        self._zips_temporary = shared / "temporary" / node if shared is not None else directory / "temporary"
        self._unpacked = directory / "unpacked"
        self._merged = directory / "merged"
        self._temporary = directory / "temporary"
        self._clock = clock or SystemClock()
        self._named_at: dict[Path, float] = {}
        self._holds: Counter[Path] = Counter()
        self._ready: set[Path] = set()
        self._being_made: dict[Path, asyncio.Task[None]] = {}
        self._sweeping = asyncio.Lock()

    async def open(self) -> None:
        """Creates the directory, and removes what a killed predecessor left half made."""

        def work() -> None:
            temporaries = (self._temporary, self._zips_temporary)
            for directory in (self._zips, self._unpacked, self._merged, *temporaries):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for temporary in temporaries:
                for abandoned in temporary.iterdir():
                    remove(abandoned)

        await asyncio.to_thread(work)

    async def close(self) -> None:
        """Waits for trees that are being made."""
        await asyncio.gather(*self._being_made.values(), return_exceptions=True)

    async def inspect(self, data: bytes) -> ZipSummary:
        """Looks into an archive before it is accepted, without unpacking it. Raises ArchiveError."""
        return await asyncio.to_thread(summarize, BytesIO(data))

    async def put(self, data: bytes) -> CodeReference:
        """Returns when the bytes are safely on disk. Raises ArtifactStoreFullError."""
        # Handing a small one to a thread takes longer than hashing it.
        small = len(data) <= _HASHED_AT_ONCE_BYTES
        sha256 = hashlib.sha256(data) if small else await asyncio.to_thread(hashlib.sha256, data)
        digest = sha256.hexdigest()
        path = self.path(digest)
        self._name(path)

        def work() -> None:
            if path.exists() and path.stat().st_size == len(data):
                path.touch()  # other nodes shall not sweep it either
            else:
                with making(self._zips_temporary / new_token()) as made:
                    write_file(made, data)
                    publish(made, path)

        await asyncio.to_thread(work)
        return CodeReference(digest=digest, sha256=b64encode(sha256.digest()).decode(), size=len(data))

    async def get(self, digest: str) -> bytes:
        """Raises ArtifactNotFoundError."""
        try:
            return await asyncio.to_thread(self.path(digest).read_bytes)
        except FileNotFoundError:
            raise ArtifactNotFoundError(digest) from None

    async def stream(self, digest: str) -> tuple[int, AsyncGenerator[bytes, None]]:
        """The bytes piece by piece, and how many they are: for those who take them slowly.

        Raises ArtifactNotFoundError."""
        path = self.path(digest)
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            raise ArtifactNotFoundError(digest) from None
        return size, _pieces(path)

    def path(self, digest: str) -> Path:
        """Where an artifact's bytes are, if they are. Raises ArtifactNotFoundError for what is no digest."""
        return self._zips / _checked(digest)

    async def verify(self, digest: str) -> bool:
        """Whether the bytes are still those that were put. Raises ArtifactNotFoundError."""

        def work() -> bool:
            with self.path(digest).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest

        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError:
            raise ArtifactNotFoundError(digest) from None

    async def digests(self) -> Sequence[str]:
        """Of all that is here, in ascending order."""
        return await asyncio.to_thread(lambda: sorted(path.name for path in self._zips.iterdir()))

    async def delete(self, digest: str) -> None:
        """Removes an artifact and its tree; does nothing where there is none. Raises ArtifactInUseError.

        Trees merged of it stay whole, until they are swept."""
        paths = (self.path(digest), self._unpacked / digest)
        if any(self._held(path) for path in paths):
            raise ArtifactInUseError(digest)
        await self._remove(*paths)

    async def unpack(self, digest: str) -> Path:
        """The tree of an archive, for mounting read-only (`hold` it first). Made once, whoever asks.

        Raises ArchiveError, ArtifactNotFoundError, ArtifactStoreFullError."""
        tree = self._unpacked / _checked(digest)
        self._name(self.path(digest))
        self._name(tree)
        await self._make_once(tree, lambda: self._unpack(digest, tree))
        return tree

    async def merge(self, digests: Sequence[str]) -> Path:
        """The tree of several archives laid over each other in order: where they differ, the later one
        counts.

        One archive's tree is its own. Raises as `unpack`."""
        assert digests, "nothing to merge"
        trees = [await self.unpack(digest) for digest in digests]
        if len(trees) == 1:
            return trees[0]
        combination = self._merged / hashlib.sha256("\n".join(digests).encode()).hexdigest()
        self._name(combination)
        holds = [self.hold(tree) for tree in trees]
        try:
            await self._make_once(combination, lambda: self._merge(digests, trees, combination))
        finally:
            for hold in holds:
                hold.release()
        return combination / "tree"

    async def tree_size(self, tree: Path) -> int:
        """Bytes of the files in a tree."""
        return await asyncio.to_thread(tree_size, tree)

    def hold(self, tree: Path) -> Hold:
        """Keeps a tree that `unpack` or `merge` returned from being removed. Raises ArtifactNotFoundError."""
        kept = self._kept(tree)
        if not tree.is_dir():
            raise ArtifactNotFoundError(str(tree))
        self._holds[kept] += 1
        return Hold(tree, self._let_go)

    async def sweep(self, in_use: Callable[[str], Awaitable[bool]]) -> int:
        """Removes the artifacts that `in_use` denies, with their trees, and the merged trees that none can
        ask for any more. What is held, being made, or was named within the last hour stays. Returns how many
        artifacts went."""
        async with self._sweeping:
            self._forget_names()
            kept: set[str] = set()
            removed = 0
            for digest in await asyncio.to_thread(self._swept):
                paths = (self.path(digest), self._unpacked / digest)
                if (
                    await in_use(digest)
                    or self._is_fresh(digest)
                    or not all(self._removable(path) for path in paths)
                ):
                    kept.add(digest)
                    continue
                await self._remove(*paths)
                removed += 1
            for combination, digests in await asyncio.to_thread(self._combinations):
                if not kept.issuperset(digests) and self._removable(combination):
                    await self._remove(combination)
            return removed

    def _unpack(self, digest: str, tree: Path) -> None:
        try:
            file = self.path(digest).open("rb")
        except FileNotFoundError:
            raise ArtifactNotFoundError(digest) from None
        with file, making(self._new_temporary()) as made:
            made.mkdir()
            extract(file, made)
            sync_file_system(made)
            publish(made, tree)

    def _merge(self, digests: Sequence[str], trees: Sequence[Path], combination: Path) -> None:
        with making(self._new_temporary()) as made:
            (made / "tree").mkdir(parents=True)
            (made / "digests").write_text("\n".join(digests))
            lay_over(trees, made / "tree")
            sync_file_system(made)
            publish(made, combination)

    async def _make_once(self, path: Path, work: Callable[[], None]) -> None:
        if path in self._ready:
            return
        task = self._being_made.get(path)
        if task is None:
            task = asyncio.create_task(self._make(path, work))
            # Where everyone gives up waiting, nobody else looks at how it went; the next to ask makes it again.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._being_made[path] = task
        # One caller that gives up must not take the tree from the others.
        await asyncio.shield(task)

    async def _make(self, path: Path, work: Callable[[], None]) -> None:
        try:
            if not await asyncio.to_thread(path.exists):
                await asyncio.to_thread(work)
            self._ready.add(path)
        finally:
            del self._being_made[path]

    async def _remove(self, *paths: Path) -> None:
        """Takes the names away in one step of the event loop; the slow rest is done in a thread."""
        doomed = []
        for path in paths:
            self._ready.discard(path)
            self._named_at.pop(path, None)
            grave = (self._zips_temporary if path.parent == self._zips else self._temporary) / new_token()
            try:
                path.rename(grave)
            except FileNotFoundError:
                continue
            doomed.append(grave)
        await asyncio.to_thread(_remove_all, doomed)

    def _swept(self) -> list[str]:
        """Also the trees of what another node has swept from the directory of all."""
        places = (self._zips, self._unpacked)
        return sorted({path.name for place in places for path in place.iterdir()})

    def _combinations(self) -> list[tuple[Path, list[str]]]:
        return [(path, (path / "digests").read_text().split("\n")) for path in self._merged.iterdir()]

    def _removable(self, path: Path) -> bool:
        return not self._held(path) and path not in self._named_at

    def _held(self, path: Path) -> bool:
        return bool(self._holds[path]) or path in self._being_made

    def _name(self, path: Path) -> None:
        self._named_at[path] = self._clock.monotonic()

    def _is_fresh(self, digest: str) -> bool:
        """Whether another node may have put it a moment ago."""
        if not self._is_shared:
            return False
        try:
            return time.time() - self.path(digest).stat().st_mtime < _KEEP_SECONDS
        except FileNotFoundError:
            return False

    def _forget_names(self) -> None:
        since = self._clock.monotonic() - _KEEP_SECONDS
        self._named_at = {path: at for path, at in self._named_at.items() if at > since}

    def _let_go(self, tree: Path) -> None:
        kept = self._kept(tree)
        self._holds[kept] -= 1
        if not self._holds[kept]:
            del self._holds[kept]

    def _kept(self, tree: Path) -> Path:
        """What is removed as one: a merged tree goes with the directory around it."""
        return tree.parent if tree.parent.parent == self._merged else tree

    def _new_temporary(self) -> Path:
        return self._temporary / new_token()


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


def _remove_all(paths: Sequence[Path]) -> None:
    for path in paths:
        remove(path)


def _checked(digest: str) -> str:
    """Digests come from records and, in time, from other nodes: none may name a path elsewhere."""
    if not _DIGEST.fullmatch(digest):
        raise ArtifactNotFoundError(digest)
    return digest

"""Images on disk, by the digests of their manifests.

    layers/<sha256>/tree, notes.json   a layer unpacked, whichever images have it
    roots/<sha256>/rootfs-<token>, image.json   an image's root file system, and what it says of how it is run
    temporary/                         what is being made or removed; emptied at `open`

What has its name is whole: it was made in `temporary`, synced, then renamed. As with lambent.artifacts.store, one
process owns the directory, all decisions fall on its event loop, and a root that is mounted is held. The token makes
the root of an image that was removed and pulled again another directory: nobody mistakes a mount of the old one for it.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from lambent.artifacts.durable import making, publish, remove
from lambent.artifacts.errors import ArtifactNotFoundError
from lambent.artifacts.images.errors import ImageTooLargeError, InvalidImageError
from lambent.artifacts.images.layers import Allowance, LayerNotes, unpack_layer
from lambent.artifacts.images.rootfs import lay_layers
from lambent.artifacts.images.tar_stream import opened_layer
from lambent.artifacts.store import Hold
from lambent.base.disk import sync_file_system
from lambent.base.ids import new_token
from lambent.model.image import (
    Descriptor,
    ImageConfig,
    InvalidManifestError,
    Manifest,
    compression,
    is_digest,
    parse_config,
    parse_manifest,
)

UNPACKED_MOST_BYTES = 10 * 1024**3
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 10 GB, all layers."""
_ENTRIES_MOST = 1_000_000
_UNPACKED_AT_ONCE = 3
"""So that one image that takes long does not keep the others waiting."""
_HEADERS_BYTES = 1024
"""Of an archive, for each of its entries at most, as far as they are usual."""
_CONFIG_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledImage:
    """An image's files, where somebody has brought them. `blob` says where the file with a digest ("sha256:…") is; it
    is compared with the digest when it is read."""

    manifest: bytes
    blob: Callable[[str], Path]


Pull = Callable[[], AbstractAsyncContextManager[PulledImage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedImage:
    digest: str
    rootfs: Path
    config: ImageConfig


class ImageStore:
    """Digests of images are 64 hexadecimal digits, as those of other code are."""

    def __init__(self, directory: Path, *, most_bytes: int = UNPACKED_MOST_BYTES) -> None:
        self._layers = directory / "layers"
        self._roots = directory / "roots"
        self._temporary = directory / "temporary"
        self.temporary = self._temporary
        """Where whoever pulls may put what it fetches."""
        self._most_bytes = most_bytes
        self._known: dict[str, UnpackedImage] = {}
        self._being_made: dict[str, asyncio.Task[UnpackedImage]] = {}
        self._pulling: set[str] = set()
        self._holds: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(_UNPACKED_AT_ONCE)
        self._sweeping = asyncio.Lock()
        self._unpacking = 0
        """How many images are being unpacked: then nothing is swept, of whose layers they may be."""

    async def open(self) -> None:
        def work() -> None:
            for directory in (self._layers, self._roots, self._temporary):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for abandoned in self._temporary.iterdir():
                remove(abandoned)

        await asyncio.to_thread(work)

    async def close(self) -> None:
        """Waits for what is being unpacked, and breaks off what is being pulled."""
        for digest in self._pulling:
            self._being_made[digest].cancel()
        await asyncio.gather(*self._being_made.values(), return_exceptions=True)

    async def find(self, digest: str) -> UnpackedImage | None:
        """The image, where it is unpacked already."""
        found = self._known.get(digest)
        if found is None:
            found = await asyncio.to_thread(self.read, digest)
            if found is not None:
                self._known[digest] = found
        return found

    async def unpack(self, digest: str, pull: Pull) -> UnpackedImage:
        """The image, pulled and unpacked once, whoever asks. Raises what `pull` raises, InvalidImageError,
        ArtifactStoreFullError."""
        found = await self.find(digest)
        if found is not None:
            return found
        task = self._being_made.get(digest)
        if task is None:
            task = asyncio.create_task(self._make(digest, pull))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._being_made[digest] = task
            self._pulling.add(digest)
        # One caller that gives up must not take the image from the others.
        return await asyncio.shield(task)

    def hold(self, image: UnpackedImage) -> Hold:
        """Keeps the image from being removed until it is released. Raises ArtifactNotFoundError."""
        if self._known.get(image.digest) != image:
            raise ArtifactNotFoundError(image.digest)
        self._holds[image.digest] += 1
        return Hold(image.rootfs, lambda _: self._let_go(image.digest))

    async def sweep(self, in_use: Callable[[str], Awaitable[bool]]) -> int:
        """Removes the images that `in_use` denies, and the layers that no image has any more. Returns how many images
        went: none while others are being unpacked."""
        async with self._sweeping:
            if self._unpacking:
                return 0
            removed, kept_layers = 0, set[str]()
            for digest, layers in await asyncio.to_thread(self._all):
                if await in_use(digest) or self._holds[digest]:
                    kept_layers.update(layers)
                    continue
                self._known.pop(digest, None)
                await asyncio.to_thread(self._bury, self._roots / digest)
                removed += 1
            await asyncio.to_thread(self._bury_layers, kept_layers)
            return removed

    async def _make(self, digest: str, pull: Pull) -> UnpackedImage:
        async with self._sweeping:
            self._unpacking += 1
        try:
            async with self._turns, pull() as pulled:
                self._pulling.discard(digest)
                await asyncio.to_thread(self._unpack, digest, pulled)
            found = await asyncio.to_thread(self.read, digest)
            assert found is not None, "it was just made"
            self._known[digest] = found
            return found
        finally:
            self._unpacking -= 1
            self._pulling.discard(digest)
            del self._being_made[digest]

    def _unpack(self, digest: str, pulled: PulledImage) -> None:
        if hashlib.sha256(pulled.manifest).hexdigest() != digest:
            raise InvalidImageError(f"its manifest is not what the digest sha256:{digest} says")
        try:
            manifest = parse_manifest(pulled.manifest)
            if not manifest.runs or manifest.config is None:
                raise InvalidImageError(f"{manifest.media_type} is not an image that can be run")
            config = parse_config(_read_config(pulled, manifest.config))
        except InvalidManifestError as error:
            raise InvalidImageError(str(error)) from error
        layers = self._unpack_layers(manifest, pulled)
        self._lay(digest, manifest, config, layers)

    def _unpack_layers(self, manifest: Manifest, pulled: PulledImage) -> list[tuple[Path, LayerNotes]]:
        allowance = Allowance(bytes=self._most_bytes, entries=_ENTRIES_MOST)
        layers = []
        for layer in manifest.layers:
            notes = self._notes(layer.digest)
            if notes is None:
                notes = self._unpack_layer(layer, pulled.blob(layer.digest), allowance)
            else:
                allowance.take(notes.size)
                allowance.entries -= notes.entries
            layers.append((self._layer(layer.digest) / "tree", notes))
        if allowance.entries < 0:
            raise ImageTooLargeError(f"the image has more than {_ENTRIES_MOST} files")
        return layers

    def _unpack_layer(self, layer: Descriptor, blob: Path, allowance: Allowance) -> LayerNotes:
        most_bytes = allowance.bytes + _ENTRIES_MOST * _HEADERS_BYTES
        with making(self._temporary / new_token()) as made:
            (made / "tree").mkdir(parents=True, mode=0o755)
            with opened_layer(
                blob, compression(layer), layer.digest.partition(":")[2], most_bytes
            ) as archive:
                notes = unpack_layer(archive, made / "tree", allowance)
            (made / "notes.json").write_text(json.dumps(asdict(notes)), encoding="utf-8")
            sync_file_system(made)
            publish(made, self._layer(layer.digest))
        return notes

    def _lay(
        self,
        digest: str,
        manifest: Manifest,
        config: ImageConfig,
        layers: Sequence[tuple[Path, LayerNotes]],
    ) -> None:
        with making(self._temporary / new_token()) as made:
            name = f"rootfs-{new_token(12)}"
            (made / name).mkdir(parents=True)
            lay_layers(layers, made / name)
            described = {
                "rootfs": name,
                "layers": [layer.digest for layer in manifest.layers],
                "config": asdict(config),
            }
            (made / "image.json").write_text(json.dumps(described), encoding="utf-8")
            sync_file_system(made)
            publish(made, self._roots / digest)

    def read(self, digest: str) -> UnpackedImage | None:
        """The image, where it is on disk. Blocking."""
        try:
            described = json.loads((self._roots / digest / "image.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        config = described["config"]
        return UnpackedImage(
            digest=digest,
            rootfs=self._roots / digest / described["rootfs"],
            config=ImageConfig(
                **config | {"entry_point": tuple(config["entry_point"]), "command": tuple(config["command"])}
            ),
        )

    def _notes(self, digest: str) -> LayerNotes | None:
        try:
            return LayerNotes(**json.loads((self._layer(digest) / "notes.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _layer(self, digest: str) -> Path:
        assert is_digest(digest)
        return self._layers / digest.partition(":")[2]

    def _all(self) -> list[tuple[str, list[str]]]:
        return [
            (path.name, json.loads((path / "image.json").read_text(encoding="utf-8"))["layers"])
            for path in self._roots.iterdir()
        ]

    def _bury_layers(self, kept: set[str]) -> None:
        for path in list(self._layers.iterdir()):
            if f"sha256:{path.name}" not in kept:
                self._bury(path)

    def _bury(self, path: Path) -> None:
        """Takes the name away at once; the slow rest comes behind."""
        grave = self._temporary / new_token()
        path.rename(grave)
        remove(grave)

    def _let_go(self, digest: str) -> None:
        self._holds[digest] -= 1
        if not self._holds[digest]:
            del self._holds[digest]


def _read_config(pulled: PulledImage, config: Descriptor) -> bytes:
    path = pulled.blob(config.digest)
    if path.stat().st_size > _CONFIG_MOST_BYTES:
        raise InvalidImageError("its configuration is too large")
    document = path.read_bytes()
    if f"sha256:{hashlib.sha256(document).hexdigest()}" != config.digest:
        raise InvalidImageError(f"its configuration is not what its digest {config.digest} says")
    return document

"""The images that runtimes are taken from (`runtime_image`): fetched when the server starts, kept for the next start.

What a source names is looked up again at every start: a tag that has moved is followed then. Where that cannot be done,
or leads to what is no base image, what was fetched before goes on. A source that has a digest is looked up once.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

from lambent.artifacts.durable import write_file
from lambent.artifacts.errors import ArtifactError
from lambent.artifacts.images.store import ImageStore, UnpackedImage
from lambent.base.disk import sync_directory
from lambent.config import Settings, SettingsError
from lambent.model.image import ImageReference
from lambent.runtimes import identifiers
from lambent.runtimes.base_images import BaseImages, NotABaseImageError, base_image_install
from lambent.server.image_sources import SkopeoSources
from lambent.services.lambda_.function_images import ImageSourceError

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 10.0
"""How long a start waits for a source's answer where it can go on without."""
_TELL_SECONDS = 10.0
_RETRY_SECONDS = 60.0

_wait = asyncio.sleep
_CannotBeHad = (ImageSourceError, ArtifactError, NotABaseImageError, TimeoutError, OSError)


class RuntimeImages:
    """`refusal` is why there can be no images here."""

    def __init__(
        self,
        images: BaseImages,
        store: ImageStore,
        sources: SkopeoSources,
        data_dir: Path,
        refusal: str | None,
    ) -> None:
        self._images = images
        self._store = store
        self._sources = sources
        self._record = record_of(data_dir)
        self._refusal = refusal
        self._digests: dict[str, str] = {}
        """By source, of those that were fetched once."""
        self._wanted = list(images.sources)
        self._releases: list[Callable[[], None]] = []

    async def open(self) -> None:
        """Returns when each is here, or cannot be had for now: `run` tries again. Raises SettingsError for a runtime
        that there is not."""
        for identifier in self._wanted:
            if identifier not in identifiers.all_identifiers():
                raise SettingsError(f"runtime_image: AWS Lambda has no runtime {identifier}")
        if self._wanted:
            self._digests = await asyncio.to_thread(read_record, self._record)
            await self._settle()

    async def run(self) -> None:
        """Until all are here."""
        while self._wanted and self._refusal is None:
            await _wait(_RETRY_SECONDS)
            await self._settle()

    def close(self) -> None:
        for release in self._releases:
            release()

    async def _settle(self) -> None:
        telling = asyncio.create_task(self._tell())
        try:
            here = await asyncio.gather(*map(self._take, self._wanted))
        finally:
            telling.cancel()
        self._wanted = [name for name, is_here in zip(self._wanted, here, strict=True) if not is_here]

    async def _take(self, identifier: str) -> bool:
        source = self._images.sources[identifier]
        try:
            if self._refusal is not None:
                raise ImageSourceError(self._refusal)
            image = await self._image(identifier, source)
            self._images.take(identifier, image)
            self._releases.append(self._store.hold(image).release)
            await self._remember(source, image.digest)
        except _CannotBeHad as error:
            reason = str(error) or f"no answer within {_ASK_AGAIN_SECONDS:g} s"
            self._images.miss(identifier, reason)
            log.error("functions of %s cannot run: its image %s is not here: %s", identifier, source, reason)
            return False
        log.info("%s is taken from %s (sha256:%s)", identifier, source, image.digest)
        return True

    async def _image(self, identifier: str, source: str) -> UnpackedImage:
        kept = await self._store.find(self._digests[source]) if source in self._digests else None
        if kept is None:
            return await self._newest(identifier, source, None)
        reference = ImageReference.parse(source)
        if reference is not None and reference.digest is not None:
            return kept
        try:
            return await self._newest(identifier, source, _ASK_AGAIN_SECONDS)
        except _CannotBeHad as error:
            told = str(error) or "no answer"
            log.warning("%s cannot be taken as it is now, what was fetched before goes on: %s", source, told)
            return kept

    async def _newest(self, identifier: str, source: str, seconds: float | None) -> UnpackedImage:
        log.info("looking up %s, which a runtime is taken from", source)
        async with asyncio.timeout(seconds):
            manifest = await self._sources.manifest(source)
        digest = hashlib.sha256(manifest).hexdigest()
        reference = ImageReference.parse(source)
        resolved = source if reference is None else reference.with_digest(f"sha256:{digest}")
        if await self._store.find(digest) is None:
            log.info("fetching %s", source)
        image = await self._store.unpack(digest, lambda: self._sources.pull(source, resolved))
        base_image_install(identifier, image)  # raises where it is none
        return image

    async def _remember(self, source: str, digest: str) -> None:
        if self._digests.get(source) == digest:
            return
        self._digests[source] = digest
        known = {one: self._digests[one] for one in self._images.sources.values() if one in self._digests}
        await asyncio.to_thread(_write_record, self._record, known)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            size = await asyncio.to_thread(self._sources.size_of_pulls)
            log.info("fetching images of runtimes: %d MiB so far", size >> 20)


def find_runtime_images(settings: Settings) -> BaseImages:
    """Those that a server with these settings has fetched, as far as this user may look."""
    images, store = BaseImages(settings.runtime_image), ImageStore(settings.data_dir / "images")
    digests = read_record(record_of(settings.data_dir))
    for identifier, source in settings.runtime_image.items():
        try:
            if source in digests and (image := store.read(digests[source])) is not None:
                images.take(identifier, image)
        except (OSError, NotABaseImageError) as error:
            images.miss(identifier, str(error))
    return images


def record_of(data_dir: Path) -> Path:
    """Beside the images, so that a backup has both."""
    return data_dir / "images/runtimes.json"


def read_record(record: Path) -> dict[str, str]:
    """Digests by source. What cannot be read is fetched again."""
    try:
        known = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(source): str(digest) for source, digest in known.items()} if isinstance(known, dict) else {}


def _write_record(record: Path, digests: dict[str, str]) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    unfinished = record.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    write_file(unfinished, json.dumps(digests, indent=2).encode())
    unfinished.rename(record)
    sync_directory(record.parent)

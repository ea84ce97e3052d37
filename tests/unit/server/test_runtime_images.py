"""Images of runtimes: fetched once, looked up at every start, missed where they cannot be had."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lambent.artifacts.images.store import UnpackedImage
from lambent.config import Settings, SettingsError
from lambent.model.image import ImageConfig
from lambent.runtimes.base_images import BaseImages
from lambent.server import runtime_images
from lambent.server.runtime_images import RuntimeImages, find_runtime_images, record_of
from lambent.services.lambda_.function_images import ImageSourceError

SOURCE = "registry.example.com/ruby:3.3"


class Sources:
    """A registry of one image."""

    def __init__(self) -> None:
        self.manifests = {SOURCE: b"first"}
        self.asked: list[str] = []
        self.pulled: list[str] = []

    async def manifest(self, uri: str) -> bytes:
        self.asked.append(uri)
        if uri not in self.manifests:
            raise ImageSourceError("no route to it")
        return self.manifests[uri]

    @asynccontextmanager
    async def pull(self, uri: str, resolved_uri: str) -> AsyncIterator[None]:
        self.pulled.append(resolved_uri)
        yield

    def size_of_pulls(self) -> int:
        return 0


class Hold:
    def __init__(self, held: list[str], digest: str) -> None:
        held.append(digest)
        self.release = lambda: held.remove(digest)


class Store:
    def __init__(self, rootfs: Path) -> None:
        self.rootfs = rootfs
        self.digests: set[str] = set()
        self.held: list[str] = []
        self.others: dict[str, Path] = {}
        """Root file systems by digest, where it is not the usual one."""

    async def find(self, digest: str) -> UnpackedImage | None:
        return self._image(digest) if digest in self.digests else None

    async def unpack(self, digest: str, pull: Any) -> UnpackedImage:
        if digest not in self.digests:
            pulling: AbstractAsyncContextManager[None] = pull()
            async with pulling:
                self.digests.add(digest)
        return self._image(digest)

    def hold(self, image: UnpackedImage) -> Hold:
        return Hold(self.held, image.digest)

    def _image(self, digest: str) -> UnpackedImage:
        rootfs = self.others.get(digest, self.rootfs)
        return UnpackedImage(digest=digest, rootfs=rootfs, config=ImageConfig())


def digest_of(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    bootstrap = tmp_path / "rootfs/var/runtime/bootstrap"
    bootstrap.parent.mkdir(parents=True)
    bootstrap.touch(mode=0o755)
    return Store(tmp_path / "rootfs")


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def start(store: Store, sources: Sources, tmp_path: Path) -> Any:
    async def start(wanted: dict[str, str] | None = None, refusal: str | None = None) -> BaseImages:
        images = BaseImages({"ruby3.3": SOURCE} if wanted is None else wanted)
        made = RuntimeImages(images, store, sources, tmp_path, refusal)  # type: ignore[arg-type]
        await made.open()
        made_by_last_start.append(made)
        return images

    made_by_last_start: list[RuntimeImages] = []
    start.made = made_by_last_start  # type: ignore[attr-defined]
    return start


async def test_it_is_fetched_once_and_held(
    start: Any, store: Store, sources: Sources, tmp_path: Path
) -> None:
    for _ in range(2):
        images = await start()
        assert images.get("ruby3.3").version == f"3.3.{digest_of(b'first')[:12]}"
        start.made.pop().close()
    assert sources.pulled == [f"registry.example.com/ruby@sha256:{digest_of(b'first')}"]
    assert json.loads(record_of(tmp_path).read_text()) == {SOURCE: digest_of(b"first")}
    await start()
    assert store.held == [digest_of(b"first")]


async def test_a_tag_that_has_moved_is_followed_at_the_next_start(start: Any, sources: Sources) -> None:
    await start()
    sources.manifests[SOURCE] = b"second"
    images = await start()
    assert images.get("ruby3.3").version == f"3.3.{digest_of(b'second')[:12]}"


async def test_without_an_answer_what_was_fetched_goes_on(start: Any, sources: Sources) -> None:
    await start()
    sources.manifests.clear()
    images = await start()
    assert images.get("ruby3.3") is not None


async def test_a_tag_that_has_moved_to_what_is_no_base_image_is_not_followed(
    start: Any, store: Store, sources: Sources, tmp_path: Path
) -> None:
    first = store.rootfs
    store.rootfs = tmp_path / "empty"
    images = await start()
    assert "it has no directory /var" in images.unavailable("ruby3.3").reason
    store.rootfs = first
    await start()
    sources.manifests[SOURCE] = b"second"
    store.others[digest_of(b"second")] = tmp_path / "empty"
    images = await start()
    assert images.get("ruby3.3").version == f"3.3.{digest_of(b'first')[:12]}"


async def test_a_source_with_a_digest_is_asked_once(start: Any, sources: Sources) -> None:
    source = f"registry.example.com/ruby@sha256:{digest_of(b'first')}"
    sources.manifests[source] = b"first"
    for _ in range(3):
        images = await start({"ruby3.3": source})
        assert images.get("ruby3.3") is not None
    assert sources.asked == [source]


async def test_one_that_cannot_be_had_is_tried_again(
    start: Any, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.manifests.clear()
    images = await start()
    assert images.unavailable("ruby3.3").reason == f"its image {SOURCE} is not here: no route to it"
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            sources.manifests[SOURCE] = b"first"

    monkeypatch.setattr(runtime_images, "_wait", sleep)
    await start.made[0].run()
    assert (len(waited), images.unavailable("ruby3.3")) == (2, None)


async def test_where_there_can_be_no_images_none_is_asked_for(start: Any, sources: Sources) -> None:
    images = await start(refusal="nowhere to show it")
    await start.made[0].run()
    assert "nowhere to show it" in images.unavailable("ruby3.3").reason
    assert sources.asked == []


async def test_a_runtime_that_there_is_not(start: Any) -> None:
    with pytest.raises(SettingsError, match="AWS Lambda has no runtime ruby33"):
        await start({"ruby33": SOURCE})


@pytest.mark.parametrize("content", [None, b"{", b"[]", json.dumps({SOURCE: "0" * 64}).encode()])
def test_who_only_looks_finds_what_was_fetched(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        record_of(tmp_path).parent.mkdir()
        record_of(tmp_path).write_bytes(content)
    images = find_runtime_images(Settings(data_dir=tmp_path, runtime_image={"ruby3.3": SOURCE}))
    missing = images.unavailable("ruby3.3")
    assert missing is not None
    assert missing.reason.endswith("it is fetched when the server starts")

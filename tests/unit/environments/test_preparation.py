import dataclasses
from pathlib import Path

import pytest

from lambent.artifacts.images.store import UnpackedImage
from lambent.environments.preparation import Preparation
from lambent.model.function import CodeReference, FunctionId, LayerReference
from lambent.model.image import FunctionImage, ImageConfig
from lambent.model.lambda_errors import InvalidRuntimeException
from lambent.runtimes.identifiers import runtime_version_arn

LAYER = LayerReference(arn="arn:layer", code=CodeReference(digest="l", sha256="", size=1))


class Hold:
    def __init__(self, artifacts, tree):
        self._artifacts, self._tree = artifacts, tree

    def release(self):
        self._artifacts.held.remove(self._tree)


class Artifacts:
    def __init__(self):
        self.held = []
        self.merge_error = None

    async def unpack(self, digest):
        return Path(f"/unpacked/{digest}")

    async def merge(self, digests):
        if self.merge_error is not None:
            raise self.merge_error
        return Path("/merged/" + "+".join(digests))

    def hold(self, tree):
        self.held.append(tree)
        return Hold(self, tree)


class Registry:
    def __init__(self, install):
        self.install = install
        self.asked = 0

    def get(self, runtime):
        self.asked += 1
        return self.install if runtime == "python3.12" else None


@pytest.fixture
def artifacts():
    return Artifacts()


@pytest.fixture
def preparation(bench, artifacts):
    return Preparation(artifacts, None, Registry(bench.install))


async def test_code_and_layers_are_held_until_they_are_released(preparation, artifacts, version):
    _, trees = await preparation(version(layers=(LAYER, LAYER)))
    assert (trees.task, trees.layers) == (Path("/unpacked/d"), Path("/merged/l+l"))
    assert artifacts.held == [Path("/unpacked/d"), Path("/merged/l+l")]
    trees.release()
    assert artifacts.held == []


async def test_without_layers_there_is_one_tree(preparation, version):
    _, trees = await preparation(version())
    assert trees.layers is None


async def test_layers_that_cannot_be_merged_leave_nothing_held(preparation, artifacts, version):
    artifacts.merge_error = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await preparation(version(layers=(LAYER,)))
    assert artifacts.held == []


async def test_a_runtime_is_looked_for_once(preparation, version, bench):
    for _ in range(2):
        install, _ = await preparation(version())
        assert install is bench.install
    assert preparation._runtimes.asked == 1


async def test_a_runtime_that_is_gone_is_refused_and_found_when_it_is_back(preparation, version):
    gone = dataclasses.replace(version(), runtime="ruby3.4")
    for _ in range(2):
        with pytest.raises(InvalidRuntimeException, match=r"ruby3.4 is not available"):
            await preparation(gone)
    assert preparation._runtimes.asked == 2


async def test_what_is_pinned_to_a_runtime_version_runs_on_no_other(preparation, bench, version):
    here = runtime_version_arn("us-east-1", bench.install.identifier, bench.install.version)
    pinned = version(update_runtime_on="Manual", runtime_version_arn=here)
    await preparation(dataclasses.replace(pinned, function=FunctionId("1", "us-east-1", "f")))
    for mode in ("Manual", "FunctionUpdate"):
        with pytest.raises(InvalidRuntimeException, match="is not on this host any more"):
            await preparation(version(update_runtime_on=mode, runtime_version_arn="arn:gone"))


class Images:
    def __init__(self, rootfs):
        self.image = UnpackedImage(digest="d", rootfs=rootfs, config=ImageConfig(entry_point=("/run",)))
        self.held = 0

    async def unpacked(self, version):
        return self.image

    def hold(self, image):
        self.held += 1
        return self.release

    def release(self):
        self.held -= 1


async def test_an_image_is_held_and_its_extensions_are_found_inside_it(artifacts, version, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "watcher").touch()
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "extensions").symlink_to("/real")
    images = Images(tmp_path)
    preparation = Preparation(artifacts, images, None)
    of_image = version(image=FunctionImage(uri="u", resolved_uri="r"), runtime=None)
    install, trees = await preparation(of_image)
    assert (install.argv, install.from_image, trees.task) == (("/run",), True, None)
    assert trees.extensions() == ["watcher"]
    assert (await preparation(of_image))[0] is install
    assert images.held == 2
    trees.release()
    assert images.held == 1

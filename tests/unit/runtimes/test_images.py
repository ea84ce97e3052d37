"""How an image's function is started."""

from pathlib import Path

import pytest

from lambent.artifacts.images.store import UnpackedImage
from lambent.model.image import ImageConfig, ImageOverrides
from lambent.runtimes.images import image_install
from lambent.sandbox.port import Bind

CONFIG = ImageConfig(
    entry_point=("run", "x"),
    command=("y",),
    working_directory="/app",
    variables={"PATH": "/opt/bin:/bin", "A": "1"},
)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    for path in ("usr/bin/run", "usr/bin/tool", "app/own"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o755)
    (tmp_path / "usr/bin/data").touch(mode=0o644)
    (tmp_path / "bin").symlink_to("usr/bin")
    for name in ("dev", "proc", "tmp", "etc"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes").touch()
    return tmp_path


def install(rootfs: Path, config: ImageConfig = CONFIG, **overrides):
    image = UnpackedImage(digest="d", rootfs=rootfs, config=config)
    return image_install(image, ImageOverrides(**overrides))


def test_the_root_shows_all_but_what_is_the_sandboxs_own(rootfs: Path) -> None:
    root = install(rootfs).root
    shown = [Bind(rootfs / name, f"/{name}") for name in ("app", "etc", "notes", "usr")]
    assert (list(root.binds), root.links, root.mount_points) == (shown, {"/bin": "usr/bin"}, ())


@pytest.mark.parametrize(
    ("overrides", "argv"),
    [
        ({}, ("/bin/run", "x", "y")),
        ({"command": ("z",)}, ("/bin/run", "x", "z")),
        ({"entry_point": ("tool",)}, ("/bin/tool", "y")),
        ({"entry_point": ("/usr/bin/run",), "command": ()}, ("/usr/bin/run",)),
        ({"entry_point": ("./own",), "command": ()}, ("/app/./own",)),
        ({"entry_point": ("nothing",)}, ("nothing", "y")),
        ({"entry_point": ("data",)}, ("data", "y")),
        ({"entry_point": (), "command": ()}, ()),
    ],
)
def test_what_is_executed(rootfs: Path, overrides: dict, argv: tuple[str, ...]) -> None:
    assert install(rootfs, **overrides).argv == argv


def test_where_and_with_which_variables(rootfs: Path) -> None:
    made = install(rootfs)
    assert made.directory == "/app"
    assert made.static_variables["A"] == "1"
    assert made.static_variables["PATH"] == "/opt/bin:/bin"
    assert made.static_variables["LAMBDA_TASK_ROOT"] == "/var/task"
    assert install(rootfs, working_directory="/etc").directory == "/etc"
    bare = install(rootfs, ImageConfig(entry_point=("run",)))
    assert (bare.directory, bare.argv) == ("/", ("/usr/bin/run",))

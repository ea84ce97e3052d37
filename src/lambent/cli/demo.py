"""`lambent demo`: starts a server and does the main job before the reader's eyes, with nothing but boto3."""

import base64
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config
from rich.console import Console

from lambent.cli.env import export_lines
from lambent.cli.server_process import ServerProcess, StartFailedError

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_TEXT = "The quick brown fox jumps over the lazy dog. The dog sleeps; the fox runs on."
_PHOTOGRAPH = (4032, 3024)
"""The 12 megapixels of a telephone's camera."""


@click.command()
@click.option("--once", is_flag=True, help="End the server when the functions have run.")
@click.option("--port", default=9000, show_default=True, help="0 takes a free one.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where the server keeps its data (default: a new directory under /tmp).",
)
def demo(once: bool, port: int, data_dir: Path | None) -> None:
    """Start a server, deploy example functions with boto3, invoke them on real input, show what they log."""
    console = Console(highlight=False, soft_wrap=True)
    data_dir = data_dir or Path(tempfile.mkdtemp(prefix="lambent-demo-"))
    try:
        server = ServerProcess.start(data_dir, port)
    except StartFailedError as error:
        raise click.ClickException(str(error)) from error
    console.print(
        f"Lambent runs at [bold]{server.endpoint}[/] (pid {server.pid}), its data is in {data_dir}\n"
    )
    try:
        Demo(server, data_dir, console).run()
    except BaseException:
        server.stop()
        raise
    if once:
        server.stop()
        console.print("\nThe server has ended.")
        return
    _print_how_to_go_on(console, server)


class Demo:
    def __init__(self, server: ServerProcess, directory: Path, console: Console) -> None:
        self._console = console
        self._directory = directory
        session = boto3.Session(
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
            region_name=server.access.region,
        )
        config = Config(retries={"max_attempts": 1})
        self._lambda = session.client("lambda", endpoint_url=server.endpoint, config=config)
        self._iam = session.client("iam", endpoint_url=server.endpoint, config=config)
        self._account_id = session.client("sts", endpoint_url=server.endpoint).get_caller_identity()[
            "Account"
        ]
        self._role = ""

    def run(self) -> None:
        self._role = self._make_role()
        python = f"python3.{sys.version_info.minor}"
        self._show("area calculator", python, self._area_calculator)
        self._show("thumbnailer", python, self._thumbnailer)
        node = self._node_runtime()
        if node is None:
            self._console.print(
                "[yellow]No Node.js on this host: the word counter is left out.[/] See: lambent doctor"
            )
        else:
            self._show("word counter", node, self._word_counter)

    def _show(self, name: str, runtime: str, function: Callable[[str], None]) -> None:
        self._console.rule(f"[bold]{name}[/] ({runtime})", align="left")
        function(runtime)
        self._console.print()

    def _area_calculator(self, runtime: str) -> None:
        self._deploy("area-calculator", runtime, "lambda_function.lambda_handler", "area_calculator")
        for event in ({"length": 6, "width": 7}, {"length": 2.5, "width": 4}):
            result = self._invoke("area-calculator", event)
            self._console.print(f"  {event} → {result}")

    def _thumbnailer(self, runtime: str) -> None:
        with self._console.status("fetching Pillow for a layer"):
            layer = self._pillow_layer()
        photograph = self._directory / "photograph.jpg"
        _take_photograph(photograph, self._directory / "pillow" / "python")
        self._deploy(
            "thumbnailer",
            runtime,
            "lambda_function.lambda_handler",
            "thumbnailer",
            Layers=[layer],
            MemorySize=1769,
            Timeout=30,
            Environment={"Variables": {"MAX_EDGE": "512"}},
        )
        image = base64.b64encode(photograph.read_bytes()).decode()
        result = self._invoke("thumbnailer", {"image": image})
        thumbnail = self._directory / "thumbnail.jpg"
        thumbnail.write_bytes(base64.b64decode(result["image"]))
        self._console.print(
            f"  {photograph} ({photograph.stat().st_size:,} bytes) → {thumbnail}"
            f" ({result['width']}x{result['height']}, {thumbnail.stat().st_size:,} bytes)"
        )

    def _word_counter(self, runtime: str) -> None:
        self._deploy("word-counter", runtime, "index.handler", "word_counter")
        result = self._invoke("word-counter", {"text": _TEXT, "most": 3})
        self._console.print(f"  {_TEXT!r} → {result}")

    def _make_role(self) -> str:
        try:
            role = self._iam.create_role(RoleName="lambent-demo", AssumeRolePolicyDocument=json.dumps(_TRUST))
        except self._iam.exceptions.EntityAlreadyExistsException:
            role = self._iam.get_role(RoleName="lambent-demo")
        return str(role["Role"]["Arn"])

    def _pillow_layer(self) -> str:
        target = self._directory / "pillow" / "python"
        if not (target / "PIL").exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*command, "--only-binary=:all:", "--target", str(target), "pillow"], check=True)
        layer = self._lambda.publish_layer_version(
            LayerName="pillow",
            Description="Pillow for the thumbnailer",
            Content={"ZipFile": _zip_of(target.parent)},
            CompatibleRuntimes=[f"python3.{sys.version_info.minor}"],
        )
        self._console.print(f"  layer {layer['LayerVersionArn']} ({layer['Content']['CodeSize']:,} bytes)")
        return str(layer["LayerVersionArn"])

    def _node_runtime(self) -> str | None:
        """The first Node.js runtime that this server accepts, newest first: asked as any client would."""
        for version in (26, 24, 22, 20, 18):
            try:
                self._create("probe", f"nodejs{version}.x", "index.handler", "word_counter")
            except self._lambda.exceptions.InvalidParameterValueException:
                continue
            self._lambda.get_waiter("function_active_v2").wait(FunctionName="probe")
            self._lambda.delete_function(FunctionName="probe")
            return f"nodejs{version}.x"
        return None

    def _deploy(self, name: str, runtime: str, handler: str, example: str, **settings: Any) -> None:
        started = time.monotonic()
        try:
            self._create(name, runtime, handler, example, **settings)
        except self._lambda.exceptions.ResourceConflictException:
            self._lambda.update_function_code(FunctionName=name, ZipFile=_zip_of(_example(example)))
            self._lambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            return
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        self._console.print(f"  deployed {name} in {time.monotonic() - started:.1f} s")

    def _create(self, name: str, runtime: str, handler: str, example: str, **settings: Any) -> None:
        self._lambda.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler=handler,
            Role=self._role,
            Code={"ZipFile": _zip_of(_example(example))},
            **settings,
        )

    def _invoke(self, name: str, event: Any) -> Any:
        started = time.monotonic()
        response = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        milliseconds = (time.monotonic() - started) * 1000
        payload = json.loads(response["Payload"].read())
        tail = base64.b64decode(response["LogResult"]).decode()
        self._console.print(f"  invoked in {milliseconds:.1f} ms, as seen by boto3; its log:")
        for line in tail.rstrip().splitlines():
            self._console.print(f"    │ {line}", style="dim", markup=False, soft_wrap=True)
        if "FunctionError" in response:
            raise click.ClickException(f"{name} failed: {payload}")
        return payload


def _example(name: str) -> Traversable:
    return files("lambent.cli") / "examples" / name


def _zip_of(directory: Traversable) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, directory, "")
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, directory: Traversable, prefix: str) -> None:
    for entry in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _add(archive, entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            archive.writestr(f"{prefix}{entry.name}", entry.read_bytes())


def _take_photograph(path: Path, pillow: Path) -> None:
    """A picture as large and as busy as a camera's: hills under a sky, with grain. In a process of its own, because it
    uses the layer's Pillow."""
    script = (
        "import math, sys; sys.path.insert(0, sys.argv[1]); from PIL import Image, ImageChops, ImageDraw\n"
        "w, h = int(sys.argv[3]), int(sys.argv[4])\n"
        "sky = Image.linear_gradient('L').resize((w, h))\n"
        "image = Image.merge('RGB', (sky.point(lambda v: 90 + v // 2), sky.point(lambda v: 140 + v // 3), "
        "sky.point(lambda v: 255 - v // 4)))\n"
        "draw = ImageDraw.Draw(image)\n"
        "draw.ellipse((w * 0.7, h * 0.1, w * 0.8, h * 0.1 + w * 0.1), fill=(255, 240, 190))\n"
        "for hill in range(5):\n"
        "    line = [(x, h * (0.5 + hill * 0.09) + math.sin(x / w * (7 + 3 * hill) + hill) * h * 0.06) "
        "for x in range(0, w + 1, 16)]\n"
        "    draw.polygon([*line, (w, h), (0, h)], fill=(60 - 8 * hill, 120 - 16 * hill, 70 - 9 * hill))\n"
        "grain = Image.effect_noise((w, h), 24).convert('RGB')\n"
        "ImageChops.overlay(image, grain).save(sys.argv[2], quality=80)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(pillow), str(path), *map(str, _PHOTOGRAPH)], check=True)


def _print_how_to_go_on(console: Console, server: ServerProcess) -> None:
    console.rule("[bold]now you[/]", align="left")
    console.print(
        "The server runs on. Paste this to use the AWS CLI against it:\n\n"
        + "".join(f"  {line}\n" for line in export_lines(server.access))
        + "  aws lambda list-functions\n"
        "  aws lambda invoke --function-name area-calculator --cli-binary-format raw-in-base64-out "
        '--payload \'{"length": 3, "width": 4}\' /dev/stdout\n'
        "  aws logs tail /aws/lambda/area-calculator --follow\n\n"
        f"End it with: kill {server.pid}",
        markup=False,
        soft_wrap=True,
    )

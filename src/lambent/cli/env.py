"""`lambent env`: the variables by which AWS clients reach the running server, as lines for a shell."""

import json
import shlex
from pathlib import Path

import click

from lambent.cli.server_process import Access, read_access
from lambent.config import READY_FILE, load


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="The server's data directory, if not the default."
)
def env(data_dir: Path | None) -> None:
    """Print export lines: eval "$(lambent env)"."""
    settings = load({"data_dir": data_dir} if data_dir is not None else {})
    for line in export_lines(running(settings.data_dir)):
        click.echo(line)


def running(data_dir: Path) -> Access:
    """How the server on this data directory is reached. Raises ClickException."""
    file = data_dir / READY_FILE
    try:
        return read_access(file)
    except FileNotFoundError:
        raise click.ClickException(f"no server runs on {data_dir}: start one with `lambent start`") from None
    except PermissionError:
        raise click.ClickException(f"{file} belongs to the user who started the server: use sudo") from None
    except (json.JSONDecodeError, TypeError) as error:
        raise click.ClickException(f"{file} is damaged ({error}): start the server again") from None


def export_lines(access: Access) -> list[str]:
    values = {
        "AWS_ENDPOINT_URL": access.endpoint,
        "AWS_ACCESS_KEY_ID": access.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access.secret_access_key,
        "AWS_DEFAULT_REGION": access.region,
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in values.items()]

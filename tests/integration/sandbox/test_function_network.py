"""`--function-network nat`: what functions reach, tried in a host network that the test makes for itself."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lambent_server import Lambent
from networks import HOST, METADATA, OUTSIDE, PORT, PRIVATE, entered, host_network
from sandboxes import ROOT, UID_COUNT, UID_FIRST, Running, Workbench, leftovers, needs_root

from lambent.sandbox.namespaces import NamespacesBackend
from lambent.sandbox.outside import GATEWAY, Outside
from lambent.sandbox.port import SandboxError

pytestmark = needs_root

CONNECT = """
import json, socket, sys
def connect(address):
    try:
        with socket.create_connection(tuple(address), 5) as connection:
            return connection.recv(99).decode()
    except OSError as error:
        return 'refused'
"""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with host_network() as name:
        yield name


async def reached(bench: Workbench, *addresses: tuple[str, int]) -> list[str]:
    code = f"{CONNECT}print(json.dumps([connect(address) for address in {addresses!r}]))"
    found: list[str] = json.loads((await bench.python(code)).output)
    return found


@pytest.fixture
async def benches(host: str, tmp_path: Path):
    """Makes backends in the host network, and looks after them."""
    with entered(host):
        made: list[NamespacesBackend] = []

        async def make(outside: Outside) -> Workbench:
            backend = NamespacesBackend(
                tmp_path / f"state{len(made)}", uid_first=UID_FIRST, uid_count=UID_COUNT, outside=outside
            )
            made.append(backend)
            await backend.open()
            return Workbench(backend)

        yield make
        for backend in made:
            await backend.close()
            assert not leftovers(tmp_path, backend)
        listed = await asyncio.create_subprocess_exec("nft", "list", "tables", stdout=asyncio.subprocess.PIPE)
        assert (await listed.communicate())[0] == b""
        assert [name for _, name in socket.if_nameindex() if name.startswith("lmb")] == []


async def test_what_is_outside_is_reached_from_the_hosts_address_and_nothing_between(benches) -> None:
    bench = await benches(Outside(private=False, resolvers=()))
    addresses = [OUTSIDE, METADATA, PRIVATE, HOST, GATEWAY, "127.0.0.1"]
    found = await reached(bench, *((address, PORT) for address in addresses))
    assert found == [HOST, *["refused"] * 5]
    held = {guarantee.aspect: guarantee.says for guarantee in bench.backend.isolation.guarantees}
    assert "NAT" in held["network"]


async def test_private_networks_are_reached_where_they_are_allowed_and_metadata_is_not(benches) -> None:
    bench = await benches(Outside(private=True, resolvers=()))
    assert await reached(bench, (PRIVATE, PORT), (METADATA, PORT)) == [HOST, "refused"]


async def test_name_servers_are_asked_wherever_they_are_and_nothing_else_there(benches, host: str) -> None:
    bench = await benches(Outside(private=False, resolvers=(PRIVATE,)))
    bench.spec = replace(bench.spec, root=replace(ROOT, files={"/etc/resolv.conf": "of the root"}))
    said = (await bench.python("print(open('/etc/resolv.conf').read())")).output
    assert said.startswith(f"nameserver {PRIVATE}\n")
    # Nobody listens at port 53: who refuses is the name server's host, or the rules; only from there comes a reset.
    code = (
        f"import socket\nfor port in (53, {PORT}):\n"
        f"    try: socket.create_connection(({PRIVATE!r}, port), 5)\n"
        "    except OSError as error: print(error.errno)\n"
    )
    errors = (await bench.python(code)).output.split()
    assert errors[0] == "111"
    assert await reached(bench, (PRIVATE, PORT)) == ["refused"]


async def test_environments_do_not_reach_each_other(benches) -> None:
    bench = await benches(Outside(private=True, resolvers=()))
    listening = await Running.start(
        await bench.blank(),
        "import socket\nwith socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
        f"    s.connect(({OUTSIDE!r}, 1)); print(s.getsockname()[0], flush=True)\n"
        f"s = socket.create_server(('0.0.0.0', {PORT})); print('up', flush=True); s.accept(); print('reached')\n",
    )
    address = await listening.line()
    assert address.startswith("100.127.")
    assert await listening.line() == "up"
    assert await reached(bench, (address, PORT)) == ["refused"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listening._reader.readline(), 0.1)
    os.close(listening._input)
    await listening.sandbox.destroy()


async def test_what_a_killed_server_left_is_replaced_by_the_next(benches, host: str) -> None:
    first = await benches(Outside(private=True, resolvers=()))
    again = NamespacesBackend(Path(first.backend._state_directory), uid_first=UID_FIRST, uid_count=UID_COUNT)
    with pytest.raises(SandboxError, match="another server"):
        await again.open()
    from lambent.sandbox.outside import open_way

    open_way(Outside(private=False, resolvers=()), first.backend.instance)
    assert await reached(first, (PRIVATE, PORT), (OUTSIDE, PORT)) == ["refused", HOST]


def test_a_function_calls_outside(host: str, tmp_path: Path) -> None:
    with entered(host):
        lambent = Lambent.start(tmp_path / "data", "--function-network", "nat")
        name = lambent.python(
            f"{CONNECT}\nimport boto3\ndef handler(event, context):\n"
            "    return [connect(one) for one in event] + [boto3.client('sts').get_caller_identity()['Account']]\n"
        )
        found = lambent.call(name, [[OUTSIDE, PORT], [METADATA, PORT], [HOST, PORT]])
        assert found == [HOST, "refused", "refused", lambent.account_id]
        assert lambent.stop() == 0
        assert not lambent.leftovers()

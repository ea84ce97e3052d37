"""Addresses inside whose listening sockets the server holds."""

import asyncio
import socket
from dataclasses import replace

import pytest
from sandboxes import Running, Workbench, needs_root

from lambent.sandbox.port import SandboxError

pytestmark = [needs_root, pytest.mark.asyncio(loop_scope="module")]

ADDRESS = ("127.0.0.1", 9001)
CONNECT = "import socket; s = socket.create_connection(('127.0.0.1', 9001), 5); print(s.recv(99).decode())"


async def test_listeners_come_out_in_order_and_non_blocking(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, listen=(ADDRESS, ("127.0.0.1", 8080), ("::1", 9001)))
    sandbox = await bench.blank()
    names = [listener.getsockname()[:2] for listener in sandbox.listeners]
    assert names == [ADDRESS, ("127.0.0.1", 8080), ("::1", 9001)]
    assert not any(listener.getblocking() for listener in sandbox.listeners)
    for listener in sandbox.listeners:
        listener.close()
    await sandbox.destroy()


async def test_same_address_in_two_sandboxes_leads_to_each_ones_listener(bench: Workbench) -> None:
    bench.spec = replace(bench.spec, listen=(ADDRESS,))
    sandboxes = [await bench.blank(), await bench.blank()]
    loop = asyncio.get_running_loop()
    for name, sandbox in zip((b"first", b"second"), sandboxes, strict=True):
        await sandbox.seal()
        running = await Running.start(sandbox, CONNECT)
        connection, _ = await loop.sock_accept(sandbox.listeners[0])
        await loop.sock_sendall(connection, name)
        connection.close()
        assert (await running.wait()).output == name.decode() + "\n"
        sandbox.listeners[0].close()
        await sandbox.destroy()


async def test_listener_is_not_reachable_from_the_host(bench: Workbench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()
    bench.spec = replace(bench.spec, listen=(free,))
    sandbox = await bench.blank()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(free, 1)
    sandbox.listeners[0].close()
    await sandbox.destroy()


async def test_listener_is_not_reachable_from_a_neighbour(bench: Workbench) -> None:
    listening = replace(bench.spec, listen=(ADDRESS,))
    sandbox = await bench.backend.create(listening)
    ran = await bench.python(CONNECT)
    assert "ConnectionRefusedError" in ran.output
    sandbox.listeners[0].close()
    await sandbox.destroy()


async def test_a_socket_made_inside_reaches_who_listens_there_and_there_only(bench: Workbench) -> None:
    sandboxes = [await bench.blank(), await bench.blank()]
    await sandboxes[0].seal()
    running = await Running.start(
        sandboxes[0],
        "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('up'); print(s.accept()[0].recv(9))",
    )
    assert await running.line() == "up"
    loop = asyncio.get_running_loop()
    stranger = await sandboxes[1].make_socket()
    with stranger, pytest.raises(ConnectionRefusedError):
        await loop.sock_connect(stranger, ("127.0.0.1", 8080))
    with await sandboxes[0].make_socket() as inside:
        await loop.sock_connect(inside, ("127.0.0.1", 8080))
        await loop.sock_sendall(inside, b"hello")
        assert (await running.wait()).output == "b'hello'\n"
    for sandbox in sandboxes:
        await sandbox.destroy()
    with pytest.raises(SandboxError):
        await sandboxes[0].make_socket()

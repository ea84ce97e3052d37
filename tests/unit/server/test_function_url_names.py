import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lambent.server.function_url_names import FunctionUrlNames, HostsFile, needs_hosts_file

OTHERS = "127.0.0.1 localhost\n::1 ip6-localhost"


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text(OTHERS)
    return path


def names_in(path: Path) -> list[str]:
    """What a resolver finds, but for what was there."""
    lines = path.read_text().splitlines()
    assert lines[:2] == OTHERS.splitlines()
    return [" ".join(line.partition("#")[0].split()) for line in lines[2:]]


def test_each_process_has_its_own_lines(hosts: Path) -> None:
    one, other = HostsFile(hosts, os.getpid()), HostsFile(hosts, os.getppid())
    one.replace("127.0.0.1", ["a.localhost", "b.localhost"])
    other.replace("127.0.0.2", ["c.localhost"])
    one.replace("127.0.0.1", ["d.localhost"])
    assert names_in(hosts) == ["127.0.0.2 c.localhost", "127.0.0.1 d.localhost"]
    other.replace("", [])
    one.replace("", [])
    assert hosts.read_text() == OTHERS + "\n"


def test_lines_of_the_dead_go(hosts: Path) -> None:
    HostsFile(hosts, 2**30).replace("127.0.0.1", ["a.localhost"])
    assert names_in(hosts) == ["127.0.0.1 a.localhost"]
    HostsFile(hosts, os.getpid()).replace("127.0.0.1", ["b.localhost"])
    assert names_in(hosts) == ["127.0.0.1 b.localhost"]


def test_a_file_without_such_names_is_left_alone(hosts: Path) -> None:
    hosts.chmod(0o400)
    before = hosts.stat()
    HostsFile(hosts, 1).replace("127.0.0.1", [])
    after = hosts.stat()  # which says when it was read, too
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


class Urls:
    def __init__(self) -> None:
        self.ids = ["a"]

    async def every(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=id, function=SimpleNamespace(region="eu-west-1")) for id in self.ids]


@pytest.mark.parametrize(
    ("listens_at", "address"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("192.0.2.1", "192.0.2.1")]
)
async def test_names_are_there_while_the_server_is(hosts: Path, listens_at: str, address: str) -> None:
    urls = Urls()
    names = FunctionUrlNames(urls, "localhost", HostsFile(hosts, 1))
    await names.refresh()
    assert names_in(hosts) == []
    await names.open(listens_at)
    assert names_in(hosts) == [f"{address} a.lambda-url.eu-west-1.localhost"]
    urls.ids = ["b"]
    await names.refresh()
    assert names_in(hosts) == [f"{address} b.lambda-url.eu-west-1.localhost"]
    await names.close()
    assert names_in(hosts) == []


async def test_a_host_without_the_file_is_no_failure(tmp_path: Path) -> None:
    names = FunctionUrlNames(Urls(), "localhost", HostsFile(tmp_path / "none", 1))
    await names.open("127.0.0.1")
    await names.refresh()
    await names.close()


@pytest.mark.parametrize(
    ("hosts_line", "domain", "needed"),
    [
        ("hosts: files dns", "localhost", True),
        ("hosts: files dns", "urls.localhost", True),
        ("hosts: files dns", "example.com", False),
        ("hosts: files myhostname dns", "localhost", False),
        ("hosts:\tfiles resolve [!UNAVAIL=return] dns", "localhost", False),
        ("# hosts: resolve", "localhost", True),
    ],
)
def test_who_needs_it(tmp_path: Path, hosts_line: str, domain: str, needed: bool) -> None:
    switch = tmp_path / "nsswitch.conf"
    switch.write_text(f"passwd: files\n{hosts_line}\n")
    assert needs_hosts_file(domain, switch) is needed


def test_without_a_switch_it_is_needed(tmp_path: Path) -> None:
    assert needs_hosts_file("localhost", tmp_path / "none")

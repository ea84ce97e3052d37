"""What is outside, for sandboxes that may reach it (`--function-network nat`): a veth pair each, addresses that are
masqueraded, and rules of nftables that keep what lies between from them: the host, its private networks, each other.

    sandbox: eth0, 100.127.x.y ──pair── lmb…: 100.127.0.1 :host ── masqueraded ──► outside

The pair is made by the sandbox's supervisor, and goes with its network namespace. The rules are the server's: one
table, replaced at each start, that speaks of interfaces by their names' beginning, so that no sandbox changes it."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from lambent.sandbox.port import SandboxError

GATEWAY = "100.127.0.1"
_NETWORK = "100.127.0.0/16"
_ADDRESSES = 65_534
_INTERFACES = "lmb"
_NEVER = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
"""This host, links (the metadata of cloud hosts among them), multicast."""
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
_RESOLVED = Path("/run/systemd/resolve/resolv.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """`private`: networks for private use may be reached, too. `resolvers` are addresses of name servers, which may be
    asked wherever they are."""

    private: bool
    resolvers: tuple[str, ...]

    def resolv_conf(self) -> str:
        return (
            "".join(f"nameserver {address}\n" for address in self.resolvers)
            + "options timeout:2 attempts:2\n"
        )

    def link(self, instance: str, index: int) -> dict[str, str]:
        """Of the sandbox with the `index`th user id, from 1 on: its address, and what the host's end is called."""
        number = index % _ADDRESSES + 1  # neither the network's own nor the gateway's
        address = f"100.127.{number >> 8}.{number & 255}"
        return {"address": address, "gateway": GATEWAY, "peer": f"{_prefix(instance)}{index:x}"}


def find_resolvers(files: Iterable[Path] = (Path("/etc/resolv.conf"), _RESOLVED)) -> tuple[str, ...]:
    """The host's name servers that are not on its loopback, from the first file that has any; at most three."""
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        words = [line.split() for line in lines if line.startswith("nameserver")]
        found = [named[1] for named in words if len(named) > 1 and _is_usable(named[1])]
        if found:
            return tuple(found[:3])
    return ()


def open_way(outside: Outside, instance: str) -> None:
    """Blocking. Puts the rules in place and has the host forward packets. Raises SandboxError."""
    _nft(rules(outside, instance))
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    try:
        if forwarding.read_text().strip() != "1":
            forwarding.write_text("1")
    except OSError as error:
        raise SandboxError(f"have the host forward packets ({forwarding}): {error.strerror}") from error


def close_way(instance: str) -> None:
    """Blocking. Takes the rules away; forwarding stays, for others may count on it by now."""
    table = _table(instance)
    _nft(f"table inet {table}\ndelete table inet {table}\n")


def rules(outside: Outside, instance: str) -> str:
    """For `nft -f`. In the place of those that a killed predecessor left."""
    table, ours = _table(instance), f'"{_prefix(instance)}*"'
    resolvers = private = ""
    if outside.resolvers:
        resolvers = (
            f"ip daddr {{ {', '.join(outside.resolvers)} }} meta l4proto {{ tcp, udp }} th dport 53 accept"
        )
    if not outside.private:
        private = f"ip daddr {{ {', '.join(_PRIVATE)} }} jump refused"
    return f"""table inet {table}
delete table inet {table}
table inet {table} {{
  chain refused {{
    meta l4proto tcp reject with tcp reset
    reject
  }}
  chain to_the_host {{
    type filter hook input priority -5;
    iifname {ours} jump refused
  }}
  chain through {{
    type filter hook forward priority -5;
    iifname {ours} jump outwards
    oifname {ours} ct state established,related accept
    oifname {ours} drop
  }}
  chain outwards {{
    meta nfproto ipv6 drop
    ip saddr != {_NETWORK} drop
    oifname "{_INTERFACES}*" jump refused
    {resolvers}
    ip daddr {{ {", ".join(_NEVER)} }} jump refused
    {private}
    accept
  }}
  chain masquerading {{
    type nat hook postrouting priority 100;
    ip saddr {_NETWORK} oifname != "{_INTERFACES}*" masquerade
  }}
}}
"""


def _nft(text: str) -> None:
    try:
        done = subprocess.run(
            ["nft", "-f", "-"],  # noqa: S607 - wherever the distribution has it
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except FileNotFoundError:
        raise SandboxError("--function-network nat needs nft: apt-get install nftables") from None
    except subprocess.TimeoutExpired:
        raise SandboxError("nft does not answer") from None
    if done.returncode != 0:
        raise SandboxError(f"nft: {done.stderr.strip().splitlines()[0] if done.stderr else done.returncode}")


def _table(instance: str) -> str:
    return f"lambent_{instance}"


def _prefix(instance: str) -> str:
    # Interfaces have names of 15 characters at most.
    return f"{_INTERFACES}{instance[:5]}_"


def _is_usable(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.version == 4 and not address.is_loopback

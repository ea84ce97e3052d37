"""The few changes of a network that sandboxes need, by route netlink. Each is for the network namespace that the caller
is in; failures are OSError with the kernel's errno."""

import os
import socket
import struct

_NEWLINK, _NEWADDR, _NEWROUTE, _ERROR = 16, 20, 24, 2
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_IFF_UP = 1
_TABLE_MAIN, _PROTOCOL_STATIC, _SCOPE_UNIVERSE, _SCOPE_LINK, _UNICAST, _ONLINK = 254, 4, 0, 253, 1, 4

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=8BI")


def make_veth(name: str, peer: str, peer_namespace: int) -> None:
    """A pair of which `name` is here, and `peer` in the namespace of the descriptor."""
    other = _link(0, 0) + _attribute(_IFLA_IFNAME, _text(peer))
    other += _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
    information = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, _attribute(_VETH_INFO_PEER, other))
    body = _link(0, 0) + _attribute(_IFLA_IFNAME, _text(name)) + _attribute(_IFLA_LINKINFO, information)
    _change(_NEWLINK, _CREATE | _EXCL, body)


def bring_up(name: str) -> None:
    _change(_NEWLINK, 0, _link(socket.if_nametoindex(name), _IFF_UP))


def add_address(name: str, address: str) -> None:
    """One address alone, without a network around it."""
    packed = socket.inet_aton(address)
    body = _ADDRESS.pack(socket.AF_INET, 32, 0, _SCOPE_UNIVERSE, socket.if_nametoindex(name))
    body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
    _change(_NEWADDR, _CREATE | _EXCL, body)


def add_route_to(address: str, name: str) -> None:
    """`address` is at the other end of `name`."""
    body = _route(32, _SCOPE_LINK, 0) + _attribute(_RTA_DST, socket.inet_aton(address))
    _change(_NEWROUTE, _CREATE | _EXCL, body + _through(name))


def add_default_route(gateway: str, name: str) -> None:
    """`gateway` is at the other end of `name`, though no network says so."""
    body = _route(0, _SCOPE_UNIVERSE, _ONLINK) + _attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
    _change(_NEWROUTE, _CREATE | _EXCL, body + _through(name))


def _through(name: str) -> bytes:
    return _attribute(_RTA_OIF, struct.pack("=I", socket.if_nametoindex(name)))


def _link(index: int, flags: int) -> bytes:
    return _LINK.pack(socket.AF_UNSPEC, 0, index, flags, flags)


def _route(length: int, scope: int, flags: int) -> bytes:
    return _ROUTE.pack(socket.AF_INET, length, 0, 0, _TABLE_MAIN, _PROTOCOL_STATIC, scope, _UNICAST, flags)


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _text(name: str) -> bytes:
    return name.encode() + b"\0"


def _change(kind: int, flags: int, body: bytes) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, 1, 0) + body)
        answer = netlink.recv(8192)
    _, answered, *_ = _HEADER.unpack_from(answer)
    assert answered == _ERROR, "an acknowledgement is an error of number 0"
    (number,) = struct.unpack_from("=i", answer, _HEADER.size)
    if number:
        raise OSError(-number, os.strerror(-number))

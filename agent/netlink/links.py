"""Which network devices belong to a VRF, from rtnetlink. The parser is pure, `vrfs` asks the kernel.

A VRF has bind buckets of its own (net/ipv4/inet_hashtables.c keys them by l3mdev), so a listener in one does not block
a port of another, nor one outside. Layouts: linux/rtnetlink.h, linux/if_link.h.

    ifinfomsg, 16 bytes behind the nlmsghdr: u8 family, u8 pad, u16 type, i32 index, u32 flags, u32 change
    attributes behind it: IFLA_MASTER u32; IFLA_LINKINFO with IFLA_INFO_KIND, a text that ends in zero
"""

import socket
import struct
from collections.abc import Iterator

from agent.netlink.errors import DumpInterrupted, DumpRefused
from agent.netlink.messages import NLMSG_DONE, NLMSG_ERROR

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_MASTER, IFLA_LINKINFO, IFLA_INFO_KIND = 10, 18, 1
NLA_TYPE_MASK = 0x3FFF
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_U32 = struct.Struct("=I")
_REQUEST = _HEADER.pack(_HEADER.size + _LINK.size, RTM_GETLINK, 0x301, 1, 0) + bytes(_LINK.size)
_RECEIVE_BYTES = 256 * 1024
_PATIENCE_S = 10


def vrfs() -> dict[int, int]:
    """Device index → index of the VRF it is or belongs to, for the devices of this thread's namespace that have one.

    Raises DumpRefused or DumpInterrupted.
    """
    answer = b""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as routes:
            routes.settimeout(_PATIENCE_S)
            routes.send(_REQUEST)
            while not _is_complete(answer):
                answer += routes.recv(_RECEIVE_BYTES)
    except TimeoutError:
        raise DumpInterrupted(f"no answer for {_PATIENCE_S} s") from None
    except OSError as error:
        raise DumpRefused(error.errno or 0) from error
    return vrfs_of(answer)


def vrfs_of(answer: bytes) -> dict[int, int]:
    """The same from the bytes of an answer."""
    masters: dict[int, int] = {}
    kinds: dict[int, bytes] = {}
    for kind, body in _messages(answer):
        if kind != RTM_NEWLINK or len(body) < _LINK.size:
            continue
        index = _LINK.unpack_from(body)[2]
        attributes = dict(_attributes(body[_LINK.size :]))
        if len(master := attributes.get(IFLA_MASTER, b"")) == _U32.size:
            (masters[index],) = _U32.unpack(master)
        kinds[index] = dict(_attributes(attributes.get(IFLA_LINKINFO, b""))).get(IFLA_INFO_KIND, b"").rstrip(b"\0")
    own = {index: index for index, kind in kinds.items() if kind == b"vrf"}
    return own | {index: master for index, master in masters.items() if master in own}


def _is_complete(answer: bytes) -> bool:
    return any(kind in (NLMSG_DONE, NLMSG_ERROR) for kind, _body in _messages(answer))


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(answer):
        length, kind, _flags, _seq, _pid = _HEADER.unpack_from(answer, at)
        if length < _HEADER.size:
            return
        yield kind, answer[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & NLA_TYPE_MASK, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3

"""DNS questions over UDP, as a resolver asks them: one datagram out, one in, no library in between.

Only what the tests look at: A, AAAA and SRV records, and the addresses that come with SRV.
"""

import ipaddress
import random
import struct

A, AAAA, SRV = 1, 28, 33
_ADDRESSES = {A: ipaddress.IPv4Address, AAAA: ipaddress.IPv6Address}


def question(name, kind):
    """(query id, the datagram)"""
    number = random.randrange(65536)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return number, struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(
        ">2H", kind, 1
    )


def _name(message, at):
    """The name at `at` and the position after it."""
    labels, end = [], None
    for _ in range(128):
        size = message[at]
        if size >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
        elif size == 0:
            return ".".join(labels).lower(), end or at + 1
        else:
            labels.append(message[at + 1 : at + 1 + size].decode())
            at += 1 + size
    raise ValueError("a name without end")


def answers(message, number, kind):
    """A, AAAA: sorted addresses. SRV: sorted (address, port). Nothing found is an empty list, a
    server's failure an error."""
    got, flags, questions, *counts = struct.unpack_from(">6H", message)
    if got != number:
        raise OSError("the answer to another question")
    if flags & 15 not in (0, 3):
        raise OSError(f"the server says rcode {flags & 15}")
    at = 12
    for _ in range(questions):
        at = _name(message, at)[1] + 4
    found, addresses = [], {}
    for section, count in enumerate(counts):
        for _ in range(count):
            owner, at = _name(message, at)
            type_, _, ttl, size = struct.unpack_from(">2HIH", message, at)
            at += 10
            if type_ in _ADDRESSES:
                address = str(_ADDRESSES[type_](message[at : at + size]))
                addresses[owner] = address
                if kind == type_ and section == 0:
                    found.append(address)
            elif type_ == SRV and section == 0 and kind == SRV:
                found.append(
                    (_name(message, at + 6)[0], struct.unpack_from(">H", message, at + 4)[0])
                )
            at += size
    if kind == SRV:
        found = [(addresses.get(target, target), port) for target, port in found]
    return sorted(found)

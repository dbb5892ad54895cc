"""Which addresses of the Internet a sandbox may reach. Pure.

Sources: IANA's special-purpose registries (RFC 6890 and successors) as :mod:`ipaddress` has them, and
the ways to hide an IPv4 address in an IPv6 one. 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052) and
ISATAP (RFC 5214) are judged by what they hide; mapped and compatible addresses (RFC 4291) are never reached.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# Where clouds answer with credentials, besides link-local 169.254.169.254 and fd00:ec2::254: those of
# Alibaba and Oracle are shared address space, Azure's is public.
_METADATA = {ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254")}
_MORE_IPV4 = {
    IPv4Network("192.88.99.0/24"): "reserved",  # 6to4 relays, deprecated
    IPv4Network("100.64.0.0/10"): "private",  # behind a carrier
}
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637, younger than some Pythons


def verdict(address: Address) -> str:
    """Why ``address`` is none that a sandbox may reach, in a word or two; "" when it is an ordinary public one."""
    if address in _METADATA:
        return "cloud metadata"
    if isinstance(address, IPv6Address):
        return _verdict_v6(address)
    for network, word in _MORE_IPV4.items():
        if address in network:
            return word
    return _kind(address)


def _verdict_v6(address: IPv6Address) -> str:
    if address.scope_id is not None:
        return "link-local"
    if address.ipv4_mapped is not None:  # Pythons differ in what they say of these, and of 6to4
        return "reserved"
    if address in _NAT64 or address.sixtofour is not None:
        return _hidden(address)  # what it leads to decides
    if word := _kind(address):
        return word
    if address not in _GLOBAL_UNICAST or address in _DOCUMENTATION:
        return "reserved"
    return _hidden(address)


def _kind(address: Address) -> str:
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if address.is_reserved:
        return "reserved"
    return "" if address.is_global else "private"


def _hidden(address: IPv6Address) -> str:
    """What is wrong with the IPv4 addresses that ``address`` leads to."""
    return next((word for inner in _inner(address) if (word := verdict(inner))), "")


def _inner(address: IPv6Address) -> list[IPv4Address]:
    found = [address.sixtofour, *(address.teredo or ())]
    interface = (int(address) >> 32) & 0xFFFFFFFF
    if address in _NAT64 or interface & 0xFDFFFFFF == 0x00005EFE:  # ISATAP, universal or local
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]

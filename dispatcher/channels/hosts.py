"""Which hosts are this machine itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host name or literal address never leaves this machine (RFC 6761, RFC 4291).

    Names other than `localhost` are not looked up: what they resolve to may change after it was checked.
    """
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

"""Keys that sign mail: a test's program reads the same file many times, and what is in it is looked through once.

To see that the numbers of an RSA key belong together takes longer than to sign a dozen mails. The program reads its
keys when it starts.
"""

from functools import cache

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dispatcher.rendering import dkim


def share_read() -> None:
    """Have a key that this process has read and found sound not be looked through again."""
    dkim.load_pem_private_key = cache(load_pem_private_key)  # type: ignore[assignment,attr-defined]  # called alike

"""The one sentence for a client number that nobody has."""

from dispatcher.errors import NotFoundError


def unknown(client: int) -> NotFoundError:
    """Return the error for a number nobody in the register has; it says how to find the one that was meant."""
    return NotFoundError(f"No client has the number {client}: run `dispatcher client list` to find it.")

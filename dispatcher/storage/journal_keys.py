"""The keys the journal's records are signed with, read anew when another process has rotated them."""

from collections.abc import Callable

from dispatcher.errors import JournalError
from dispatcher.keys import Key, KeyKind, KeyRing


class JournalKeys:
    """The journal keys of a ring. `reload` reads the secrets file anew; without it the ring stays as it is."""

    def __init__(self, ring: KeyRing, reload: Callable[[], KeyRing] | None) -> None:
        self._ring = ring
        self._reload = reload

    def current(self) -> Key:
        """Return the key that signs new records. Raises SettingsError where there is none."""
        return self._ring.current(KeyKind.JOURNAL)

    def of(self, number: int, key_id: str) -> Key:
        """Return the key that record `number` was signed with, read anew once where it is not known yet.

        Raises JournalError if the secrets file has no such key, and SettingsError if the file cannot be read.
        """
        key = self._ring.find(KeyKind.JOURNAL, key_id)
        if key is None and self._reload is not None:
            self._ring = self._reload()
            key = self._ring.find(KeyKind.JOURNAL, key_id)
        if key is None:
            raise JournalError(
                f"Record {number} of the journal was signed with journal key {key_id!r}, which the secrets "
                "file does not have: put the copy back that `dispatcher keys backup` made."
            )
        return key

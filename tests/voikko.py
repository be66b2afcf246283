"""Voikko, the Finnish spelling checker, as Debian ships it: `libvoikko1` with the words of `voikko-fi`."""

import ctypes


class Voikko:
    """Knows the words of Finnish. Raises OSError where the library or its words are not installed."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libvoikko.so.1")
        self._library.voikkoInit.restype = ctypes.c_void_p
        self._library.voikkoInit.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_char_p, ctypes.c_char_p]
        self._library.voikkoSpellCstr.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self._library.voikkoTerminate.argtypes = [ctypes.c_void_p]
        trouble = ctypes.c_char_p()
        self._handle = self._library.voikkoInit(ctypes.byref(trouble), b"fi", None)
        if not self._handle:
            raise OSError((trouble.value or b"Voikko has no Finnish words").decode())

    def knows(self, word: str) -> bool:
        """Say whether this is a Finnish word in any of its forms; the half of a pair ("selkä-") counts as one."""
        whole = word.removesuffix("-")
        answer: int = self._library.voikkoSpellCstr(self._handle, whole.encode())
        return answer == 1

    def close(self) -> None:
        """Give its memory back."""
        self._library.voikkoTerminate(self._handle)

"""A sentence of the audit in English, and by name and values, so that a paper can say it in another language."""

from typing import Self


class Sentence(str):
    """English text that knows its `name` and the `values` in it; what reads no more than text reads it as text."""

    __slots__ = ("name", "values")
    name: str
    values: dict[str, object]

    @classmethod
    def of(cls, english: str, name: str, /, **values: object) -> Self:
        """Return a sentence, its English with these values filled in."""
        made = cls(english.format_map(values))
        made.name, made.values = name, values
        return made


class Parts(tuple[Sentence, ...]):
    """Parts of a sentence that stand beside each other with a comma between them."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)

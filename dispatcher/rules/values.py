"""Values that are made for every message or client: frozen to the type checker, plain while the program runs."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Make a dataclass whose fields the type checker lets nobody change.

    At run time nothing guards them: a frozen dataclass takes four times as long to make, and a campaign makes a
    dozen of them for each message.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)  # the hash of a frozen one

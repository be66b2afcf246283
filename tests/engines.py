"""Engines of the tests: what SQLAlchemy learns of a server and compiles for it, it learns once in a process.

A test opens its own database several times, and each engine would compile the same statements anew, which is a tenth of
what the tests of flows take. The program opens one or two in its life.
"""

from collections.abc import Callable

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.util import LRUCache

from dispatcher.storage import database

_STATEMENTS = 5_000
"""How many compiled statements are kept: more than there are."""
_first: dict[str, Engine] = {}


def share_compiled() -> None:
    """Have every database that is opened in this process share dialect and compiled statements with the first."""
    database._engine = _sharing(database._engine)  # type: ignore[assignment]  # it is called in the same way


def shared(engine: Engine, kind: str) -> Engine:
    """Return an engine that goes on with what the first of its kind has learned: those of a kind are made alike."""
    first = _first.get(kind)
    if first is None:
        engine.dialect.initialize = _then_first(engine, kind)  # type: ignore[assignment,method-assign]
    else:
        engine.dialect.initialize = _known  # type: ignore[method-assign]
        engine.dialect = engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    return engine


def _sharing(make: Callable[[URL], Engine]) -> Callable[[URL], Engine]:
    def made(url: URL) -> Engine:
        engine = make(url)
        return shared(engine, engine.dialect.name)

    return made


def _then_first(engine: Engine, kind: str) -> Callable[[Connection], None]:
    learn = engine.dialect.initialize

    def initialize(connection: Connection) -> None:
        learn(connection)
        if isinstance(engine._compiled_cache, LRUCache):
            engine._compiled_cache.capacity = _STATEMENTS
        _first.setdefault(kind, engine)

    return initialize


def _known(connection: Connection) -> None:
    del connection

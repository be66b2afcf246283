"""Where data may be kept and who must have signed for it: this machine, or a company in the EU or EEA (L-39, L-42)."""

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qs, unquote, urlsplit

EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)
"""The countries data may stay in (L-42)."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HERE = "localhost"
_PORT = "5432"
_POSTGRESQL = re.compile(
    r"""postgresql[\w+]*://
    (?:(?P<user>[^:/]*)(?::[^@]*)?@)?
    (?:\[(?P<literal>[^/?]+)\]|(?P<name>[^/:?]*))(?::(?P<port>[^/?]*))?
    (?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?""",
    re.VERBOSE | re.DOTALL,
)
# Split as the database library does it: urlsplit would take a password with a slash in it for something else.
_WITH_PORT = re.compile(r"(\[.*\]|[^:]*):(\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL database by where it is: its hosts with their ports, and its name; whoever logs in to it."""

    hosts: frozenset[tuple[str, str]]
    database: str

    @property
    def is_here(self) -> bool:
        """Say whether data goes no further than this machine: over loopback or a socket in a directory."""
        return all(host == _HERE or host.startswith("/") for host, _ in self.hosts)


def web_address(url: str) -> str:
    """Return a web address without the slash at its end. Raises ValueError for one that would be read in passing."""
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        return url.rstrip("/")
    raise ValueError("write a web address that begins with https:// (http:// only for this machine itself)")


def server(url: str) -> Server | None:
    """Return where the PostgreSQL database of a URL is, or None for another kind of database.

    What the query says (`?host=/run/postgresql`) stands above the rest. No host is this machine's own socket.
    """
    found = _POSTGRESQL.fullmatch(url)
    if found is None:
        return None
    query = parse_qs(found["query"] or "")
    hosts = query.get("hostaddr") or query.get("host") or [found["literal"] or found["name"] or ""]
    ports = ",".join(query.get("port") or [found["port"] or _PORT]).split(",")
    # A service is described in a file elsewhere, so nobody knows where it is.
    named = [f"service {name}" for name in query.get("service", ())] or ",".join(hosts).split(",")
    database = query.get("dbname", [unquote(found["database"] or found["user"] or "")])[-1]
    return Server(frozenset(_placed(host, ports[min(at, len(ports) - 1)]) for at, host in enumerate(named)), database)


def are_one(url: str, other: str) -> bool:
    """Say whether two database URLs name the same database, by whatever driver and user."""
    place = server(url)
    return url == other or (place is not None and place == server(other))


def check_company(table: str, what: str, country: str | None, dpa_signed: date | None, *, eu_only: bool) -> None:
    """Raise ValueError unless it is declared where a company that gets personal data is, and that it signed for it."""
    if eu_only and country not in EEA:
        raise ValueError(
            f'[{table}] country must name the EU or EEA country of your {what}\'s company, for example "FI": '
            "the notice promises that data stays there"
        )
    if dpa_signed is None:
        raise ValueError(f"[{table}] dpa_signed is missing: the date of your contract with the {what}'s company")


def _placed(host: str, port: str) -> tuple[str, str]:
    """Return a host and its port; in a query a host may carry its own port."""
    carried = _WITH_PORT.fullmatch(host)
    if carried:
        host, port = carried.groups()
    host = host.rstrip("/") if host.startswith("/") else host.strip("[]").lower().rstrip(".")
    return (_HERE if host in LOOPBACK | {""} else host), port or _PORT

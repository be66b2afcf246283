"""An IMAP server of the test's own: Dovecot on loopback, with a certificate nobody trusts unless told to.

It runs from configuration in one temporary directory, on ports nobody else has, and is stopped whatever happens.
"""

import base64
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dispatcher.demo.loopback import HOST
from tests.faults.certificates import Certificate
from tests.foreign_servers import PATH, PATIENCE, answers, end, free_port, until

USER, PASSWORD = "hei@tunturituuli.example", 'sälä"na\\ 1'
_SETTINGS = """
base_dir = {room}/run
log_path = {room}/log
protocols = imap
listen = {host}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
auth_mechanisms = plain login
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{room}/mail:INDEX={room}/index
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN.b64 {room}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={room}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {encrypted}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def missing() -> str | None:
    """Return what stands in the way of an IMAP server here, None where nothing does."""
    if shutil.which("dovecot", path=PATH) is None:
        return "there is no Dovecot here: run `make imap`"
    return None if os.geteuid() == 0 else "Dovecot is started by root alone: run `make imap` as root"


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where to ask, by what certificate, and the server's own files."""

    plain: int
    encrypted: int
    certificate: Certificate
    room: Path

    def deliver(self, raw: bytes, folder: str = "INBOX", at: datetime | None = None) -> None:
        """Put a letter into a folder, made where it is not there, as if it had come at this moment (aware UTC)."""
        came = f'"{at:%d-%b-%Y %H:%M:%S} +0000" ' if at else ""
        with self.session() as ask:
            if folder != "INBOX":
                ask(f'CREATE "{folder}"')
            assert "a OK" in ask(f'APPEND "{folder}" {came}{{{len(raw)}+}}', raw)

    @contextmanager
    def session(self, user: str = USER, password: str = PASSWORD) -> Iterator[Callable[..., str]]:
        """Give a way to ask the server by hand, so that what it says does not pass through what is tested."""
        with socket.create_connection((HOST, self.plain), timeout=PATIENCE) as connection:
            file = connection.makefile("rwb")
            file.readline()

            def ask(command: str, literal: bytes = b"") -> str:
                file.write(b"a " + command.encode() + b"\r\n" + (literal + b"\r\n" if literal else b""))
                file.flush()
                lines = []
                while not (line := file.readline()).startswith(b"a ") and line:
                    lines.append(line.decode(errors="replace"))
                return "".join([*lines, line.decode(errors="replace")])

            told = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            assert "a OK" in ask(f"AUTHENTICATE PLAIN {told}")
            yield ask
            file.close()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Return, letter by letter, what marks the server has on it, by its own word."""
        with self.session() as ask:
            ask(f'EXAMINE "{folder}"')
            return [line.strip() for line in ask("FETCH 1:* FLAGS").splitlines() if "FETCH" in line and "FLAGS" in line]

    def farewells(self, count: int) -> list[str]:
        """Return what the server wrote at the end of each visit, as soon as it has written of so many."""

        def found() -> list[str]:
            return [line for line in self.log().splitlines() if "Logged out" in line]

        until(lambda: len(found()) >= count, self.log)
        return found()

    def log(self) -> str:
        """Return what the server has to say."""
        path = self.room / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else "Dovecot has written no log."


@contextmanager
def imap_server(folder: Path) -> Iterator[ImapServer]:
    """Run Dovecot for one inbox; `folder` is where its certificate is kept."""
    with ExitStack() as stack:
        room = Path(tempfile.mkdtemp(prefix="imap-", dir="/tmp"))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        room.chmod(0o755)
        certificate = Certificate.made(folder)
        user = pwd.getpwnam("nobody")
        for name in ("mail", "index"):
            (room / name).mkdir()
            os.chown(room / name, user.pw_uid, user.pw_gid)
        os.chown(room, user.pw_uid, user.pw_gid)
        (room / "users").write_text(f"{USER}:{base64.b64encode(PASSWORD.encode()).decode()}\n", encoding="ascii")
        ports = free_port(), free_port()
        values = {"host": HOST, "room": room, "plain": ports[0], "encrypted": ports[1], "user": "nobody"}
        values |= {"group": "nogroup", "certificate": certificate.file, "key": folder / "key.pem"}
        settings = room / "dovecot.conf"
        settings.write_text(_SETTINGS.format(**values), encoding="ascii")
        program = shutil.which("dovecot", path=PATH) or "dovecot"
        running = subprocess.Popen([program, "-F", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        stack.callback(end, running)
        server = ImapServer(*ports, certificate, room)
        until(lambda: answers(ports[0], b"* OK"), lambda: f"Dovecot does not answer: {running.poll()}\n{server.log()}")
        yield server

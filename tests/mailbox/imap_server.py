"""An IMAP server of the test's own: Dovecot on loopback, with a certificate nobody trusts unless told to.

It runs from configuration in one temporary directory, on ports nobody else has, and is stopped whatever happens.
"""

import base64
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dispatcher.demo.loopback import HOST, listen
from tests.faults.certificates import Certificate

USER, PASSWORD = "hei@tunturituuli.example", 'sälä"na\\ 1'
_PATH = f"{os.defpath}:/usr/sbin:/sbin"
_PATIENCE = 30.0
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
    if shutil.which("dovecot", path=_PATH) is None:
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
        with socket.create_connection((HOST, self.plain), timeout=_PATIENCE) as connection:
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

        _until(lambda: len(found()) >= count, self.log)
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
        ports = _free_port(), _free_port()
        values = {"host": HOST, "room": room, "plain": ports[0], "encrypted": ports[1], "user": "nobody"}
        values |= {"group": "nogroup", "certificate": certificate.file, "key": folder / "key.pem"}
        settings = room / "dovecot.conf"
        settings.write_text(_SETTINGS.format(**values), encoding="ascii")
        program = shutil.which("dovecot", path=_PATH) or "dovecot"
        running = subprocess.Popen([program, "-F", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        stack.callback(_end, running)
        server = ImapServer(*ports, certificate, room)
        _until(lambda: _answers(ports[0]), lambda: f"Dovecot does not answer: {running.poll()}\n{server.log()}")
        yield server


def _free_port() -> int:
    with listen() as found:
        port: int = found.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            return connection.recv(4) == b"* OK"
    except OSError:
        return False


def _until(is_so: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Wait until something is so: foreign servers tell nobody when they have come to it."""
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)


def _end(running: subprocess.Popen[bytes]) -> None:
    running.send_signal(signal.SIGTERM)
    try:
        running.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        running.kill()
        running.communicate()

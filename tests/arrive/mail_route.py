"""A mail server of the test's own: Postfix on loopback with OpenDKIM before it, delivering into a Maildir.

Both run from configuration in one temporary directory, on ports nobody else has, and are stopped whatever happens.
Postfix that the machine may run by itself is neither read nor touched.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatcher.demo.loopback import HOST
from tests.foreign_servers import PATH, PATIENCE, answers, end, free_port, until

PROGRAMS = ("postfix", "opendkim", "spamassassin")
POSTMASTER = "relay.example"
_OPENDKIM = """
Mode v
Socket inet:{port}@{host}
AuthservID {name}
AlwaysAddARHeader yes
TestPublicKeys {keys}
MustBeSigned From,Subject,To,List-Unsubscribe,List-Unsubscribe-Post
Syslog no
"""
_MAIN = """
compatibility_level = 3.6
myhostname = {name}
mydestination =
inet_interfaces = {host}
inet_protocols = ipv4
queue_directory = {room}/queue
data_directory = {room}/data
maillog_file = {room}/log
maillog_file_prefixes = {room}
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {room}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{group}
{more}
"""
_SIGNED = """
smtpd_relay_restrictions = reject_unauth_destination
smtpd_milters = inet:{host}:{milter}
milter_default_action = tempfail
"""
_MASTER = """
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


def missing_postfix() -> str | None:
    """Return what stands in the way of Postfix alone."""
    return missing(("postfix",))


def missing(programs: Sequence[str] = PROGRAMS) -> str | None:
    """Return what stands in the way of a mail route here, None where nothing does."""
    absent = [name for name in programs if shutil.which(name, path=PATH) is None]
    if absent:
        return f"there is no {' and no '.join(absent)} here: run `make arrive`"
    return None if os.geteuid() == 0 else "Postfix is started by root alone: run `make arrive` as root"


@dataclass(frozen=True, slots=True)
class MailRoute:
    """Where to hand mails over, and what has arrived at the far end."""

    port: int
    room: Path

    def arrived(self, count: int) -> list[bytes]:
        """Return so many mails as they lie in the Maildir, as soon as they do; line ends are those of the disk.

        Fails with Postfix's log where they do not come.
        """
        inbox = self.room / "mail" / "inbox" / "new"
        until(lambda: inbox.is_dir() and len(list(inbox.iterdir())) >= count, self.log)
        return [path.read_bytes() for path in sorted(inbox.iterdir())]

    def log(self) -> str:
        """Return what Postfix has to say."""
        path = self.room / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else "Postfix has written no log."


@contextmanager
def mail_route(domain: str, keys: Mapping[str, str]) -> Iterator[MailRoute]:
    """Run Postfix and OpenDKIM for mail to a domain; `keys` are the TXT records of the senders, by name."""
    with ExitStack() as stack:
        room = Path(tempfile.mkdtemp(prefix="arrive-", dir="/tmp"))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        room.chmod(0o755)
        milter, port = free_port(), free_port()
        _open_dkim(stack, room, milter, keys)
        run_postfix(stack, room, domain, port, _SIGNED.format(host=HOST, milter=milter))
        yield MailRoute(port, room)


def _open_dkim(stack: ExitStack, room: Path, port: int, keys: Mapping[str, str]) -> None:
    records, settings = room / "records", room / "opendkim.conf"
    records.write_text("".join(f"{name} {text}\n" for name, text in keys.items()), encoding="ascii")
    settings.write_text(_OPENDKIM.format(port=port, host=HOST, name=POSTMASTER, keys=records), encoding="ascii")
    program = shutil.which("opendkim", path=PATH) or "opendkim"
    running = subprocess.Popen([program, "-f", "-x", settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stack.callback(end, running)
    until(lambda: answers(port), lambda: f"OpenDKIM does not answer; its exit code: {running.poll()}")


def run_postfix(stack: ExitStack, room: Path, domain: str, port: int, more: str) -> None:
    """Run Postfix that takes mail for a domain into a Maildir below `room`; `more` are lines of its main.cf."""
    nobody, owner = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    settings, queue, data, mail = (room / name for name in ("postfix", "queue", "data", "mail"))
    for folder in (settings, queue, data, mail):
        folder.mkdir()
    os.chown(data, owner.pw_uid, owner.pw_gid)
    os.chown(mail, nobody.pw_uid, nobody.pw_gid)
    values = {"host": HOST, "name": POSTMASTER, "room": room, "domain": domain, "port": port, "more": more}
    values |= {"user": nobody.pw_uid, "group": nobody.pw_gid}
    (settings / "main.cf").write_text(_MAIN.format(**values), encoding="ascii")
    (settings / "master.cf").write_text(_MASTER.format(**values), encoding="ascii")
    command = [shutil.which("postfix", path=PATH) or "postfix", "-c", str(settings)]
    # Stopped also where it started by half: without a process of its own `stop` changes nothing.
    stack.callback(subprocess.run, [*command, "stop"], capture_output=True, check=False, timeout=PATIENCE)
    started = subprocess.run([*command, "start"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert started.returncode == 0, started.stdout + started.stderr
    until(lambda: answers(port), lambda: "Postfix does not answer.")

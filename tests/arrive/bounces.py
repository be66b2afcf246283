"""What a real Postfix writes when our mail comes back: every report it makes, kept for the tests of the mailbox.

Made anew, as root and where Postfix is, with `.venv/bin/python -m tests.arrive.bounces`; look at `git diff` then.
"""

import asyncio
import re
import shutil
import smtplib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dispatcher.demo.loopback import HOST
from tests.arrive.mail_route import MailRoute, missing_postfix, run_postfix
from tests.foreign_servers import free_port
from tests.mailbox.post import ADDRESSES

KEPT = Path(__file__).parents[1] / "mailbox" / "kept"
STUDIO, READERS, NOWHERE = "tunturituuli.example", "posti.example", "puuttuu.example"
REFUSED = {
    "dead": "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    "full": "552 5.2.2 Mailbox full",
    "policy": "550 5.7.1 Message rejected due to local policy",
    "bare": "550 No such user here",
    "busy": "451 4.3.0 Temporary lookup failure",
}
"""What the readers' server answers to RCPT, by what stands before the @; anybody else has the mail."""
_MORE = """
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{{readers}=smtp:[{host}]:{port}}}
smtp_dns_support_level = disabled
smtp_host_lookup = native
maximal_queue_lifetime = 4s
bounce_queue_lifetime = 1h
delay_warning_time = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
bounce_size_limit = 2000
"""


class _Readers:
    """The readers' mail server."""

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer as the address says."""
        answer = REFUSED.get(address.partition("@")[0])
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer.format(to=address) if answer else "250 OK"

    async def handle_DATA(  # noqa: N802 - the same
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        """Take what is left, as a server does at its leisure."""
        await asyncio.sleep(0)
        return "250 2.0.0 OK"


def cases() -> Mapping[str, str]:
    """Return to whom a mail goes, by the name of what comes of it."""
    return {
        **{name: f"{name}@{READERS}" for name in REFUSED},
        "nowhere": f"maija@{NOWHERE}",
        "taken": f"maija@{READERS}",
    }


def message_id(name: str) -> str:
    """Return the id of the message of a case."""
    return name.encode().hex().ljust(32, "0")


@contextmanager
def bouncing_route() -> Iterator[MailRoute]:
    """Run Postfix between us and the readers' server; what comes back lies in its Maildir for the studio."""
    with ExitStack() as stack:
        room = Path(tempfile.mkdtemp(prefix="bounces-", dir="/tmp"))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        room.chmod(0o755)
        far = free_port()
        readers = Controller(_Readers(), hostname=HOST, port=far, server_hostname="mx.posti.example")
        readers.start()
        stack.callback(readers.stop)
        port = free_port()
        run_postfix(stack, room, STUDIO, port, _MORE.format(readers=READERS, host=HOST, port=far))
        yield MailRoute(port, room)


def made() -> Mapping[str, list[bytes]]:
    """Send a mail of each case and return what Postfix wrote about it, a delay before the end of it."""
    with bouncing_route() as route:
        for name, to in cases().items():
            notify = ["NOTIFY=SUCCESS,FAILURE,DELAY"] if name == "taken" else []
            with smtplib.SMTP(HOST, route.port, local_hostname="studio.example") as server:
                mail = (
                    f"From: tarjoukset@{STUDIO}\r\nTo: {to}\r\nSubject: Kevät\r\n\r\nLopeta viestit tästä\r\n".encode()
                )
                server.sendmail(ADDRESSES.bounce_to(message_id(name)), [to], mail, rcpt_options=notify)
        reports = route.arrived(len(cases()) + 1)
    found: dict[str, list[bytes]] = {name: [] for name in cases()}
    for raw in reports:
        [name] = [
            each for each in cases() if ADDRESSES.bounce_to(message_id(each)).encode() in raw.partition(b"\n\n")[0]
        ]
        found[name].append(raw)
    return {name: sorted(each, key=lambda raw: b"Action: failed" in raw) for name, each in found.items()}


def renew() -> None:
    """Write the files anew."""
    started = time.strftime("%H:%M")
    KEPT.mkdir(exist_ok=True)
    for file in KEPT.glob("*.eml"):
        file.unlink()
    for name, reports in made().items():
        for raw in reports:
            kind = re.search(rb"^Action: (\w+)", raw, re.MULTILINE)
            (KEPT / f"{name}.{kind[1].decode() if kind else 'none'}.eml").write_bytes(raw)
    print(f"Made at {started}: {', '.join(sorted(file.name for file in KEPT.glob('*.eml')))}")  # noqa: T201 - a script


if __name__ == "__main__":
    hindrance = missing_postfix()
    if hindrance:
        raise SystemExit(hindrance)
    renew()

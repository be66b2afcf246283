"""What can go wrong around Twilio: calls with signatures of their own making, and a line that is cut.

The service itself is the demo's double; this stands beside it and before it.
"""

import base64
import hashlib
import hmac
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import httpx2

from dispatcher.demo.twilio_double import ReceivedSms

TOKEN = "12345" * 6
"""The auth token of the double's account."""
_BUFFER = 65_536


def signature(secret: str, address: str, fields: Sequence[tuple[str, str]], digest: str = "sha1") -> str:
    """Return the signature of a call as Twilio describes it: the address, then each sorted field with its value."""
    whole = address + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(secret.encode(), whole.encode(), digest)).decode()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of Twilio's, ready to be made as often as one likes: the address, the body and the headers."""

    address: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> int:
        """Make the call over HTTP and return the status of the answer."""
        return httpx2.post(self.address, content=self.body, headers=dict(self.headers), timeout=10).status_code


def call_of(address: str, fields: Mapping[str, str], secret: str = TOKEN) -> Call:
    """Return a signed call that tells these fields."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature(secret, address, list(fields.items())),
    }
    return Call(address, urlencode(fields).encode(), headers)


def texted(
    address: str, sender: str, body: str, sid: str = "SM" + "1" * 32, opt_out: str = "", secret: str = TOKEN
) -> Call:
    """Return the call by which Twilio tells that somebody texted our number."""
    fields = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "Body": body,
        "From": sender,
        "FromCountry": "FI",
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": "+358400000000",
        "ToCountry": "FI",
    }
    return call_of(address, fields | ({"OptOutType": opt_out} if opt_out else {}), secret)


def told_of(received: ReceivedSms, status: str, code: str = "", secret: str = TOKEN) -> Call:
    """Return the call by which Twilio tells how a message that it took stands."""
    fields = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "From": received.sender,
        "MessageSid": received.sid,
        "MessageStatus": status,
        "SmsSid": received.sid,
        "SmsStatus": status,
        "To": received.recipient,
    }
    return call_of(received.form["StatusCallback"], fields | ({"ErrorCode": code} if code else {}), secret)


class CutLine:
    """A line to a service on loopback that resets the connection once the answer begins to come back.

    What was asked has been done by then; `base_url` is where it begins. It is cut `times` times and holds after that.
    """

    def __init__(self, target: str, times: int = 1) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._left = times
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._lines: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for line in self._lines:
            line.join()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            is_cut, self._left = self._left > 0, self._left - 1
            line = threading.Thread(target=self._carry, args=(near, is_cut), daemon=True)
            self._lines.append(line)
            line.start()

    def _carry(self, near: socket.socket, is_cut: bool) -> None:  # noqa: FBT001 - an argument of a thread
        with near, socket.create_connection(self._target) as far:
            there = threading.Thread(target=_pass_on, args=(near, far), daemon=True)
            there.start()
            while answer := _received(far):
                if is_cut:
                    # With no time to linger, closing sends a reset.
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                near.sendall(answer)
            with suppress(OSError):
                near.shutdown(socket.SHUT_RD)
            near.close()
            there.join()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    with suppress(OSError):
        while asked := _received(near):
            far.sendall(asked)
        far.shutdown(socket.SHUT_WR)


def _received(line: socket.socket) -> bytes:
    with suppress(OSError):
        return line.recv(_BUFFER)
    return b""


def sha256_of(body: str) -> str:
    """Return the hash of a body as Twilio writes it into the address."""
    return hashlib.sha256(body.encode()).hexdigest()

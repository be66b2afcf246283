"""Servers that are none of ours, run by a test on this machine: a port for them, until they answer, and their end."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable

from dispatcher.demo.loopback import HOST, listen

PATH = f"{os.defpath}:/usr/sbin:/sbin"
"""Where their programs are."""
PATIENCE = 30.0
"""Seconds until a server that does not answer, or what it should have done, fails the test."""


def free_port() -> int:
    """Return a port that nobody has."""
    with listen() as found:
        port: int = found.getsockname()[1]
        return port


def answers(port: int, greeting: bytes = b"") -> bool:
    """Say whether a server takes connections at a port, and begins with this greeting."""
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            return not greeting or connection.recv(len(greeting)) == greeting
    except OSError:
        return False


def until(is_so: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Wait until something is so: foreign servers tell nobody when they have come to it."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)


def end(running: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, and end it where it does not."""
    running.send_signal(signal.SIGTERM)
    try:
        running.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        running.kill()
        running.communicate()

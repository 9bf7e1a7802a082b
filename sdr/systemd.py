"""What a service tells systemd: that it is up, alive, and how it is doing.

    NOTIFY_SOCKET   where datagrams go; absent outside systemd, and then nothing is sent
    WATCHDOG_USEC   systemd restarts a service that is silent for so long
    WATCHDOG_PID    whom that concerns

    READY=1  STATUS=text  WATCHDOG=1  STOPPING=1    one assignment a line

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

_PINGS_PER_TIMEOUT = 3.0  # twice is what sd_watchdog_enabled(3) asks for


class Notifier:
    """Speaks to the service manager, if there is one; a manager that has gone is no error.

    Args:
        environment: variables to read; the process's own by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._ping_interval_s = _timeout_s(environment) / _PINGS_PER_TIMEOUT
        self._pinged_s = -float("inf")
        self._status = ""

    @property
    def is_active(self) -> bool:
        """Whether somebody listens."""
        return self._address is not None

    @property
    def ping_interval_s(self) -> float:
        """Longest time between two calls of ``alive``, seconds; infinite where no watchdog waits."""
        return self._ping_interval_s if self.is_active else float("inf")

    def ready(self) -> None:
        """Say that the service is up."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how it is going; the same line is said once."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def alive(self) -> None:
        """Feed the watchdog when it is time; to be called often, from the loop that must not hang."""
        now_s = time.monotonic()
        if now_s - self._pinged_s > self.ping_interval_s:
            self._pinged_s = now_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is on its way out."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError:
            return  # a full or vanished socket: reception goes on, the watchdog judges


def _address(name: str) -> str | None:
    """Socket address of ``NOTIFY_SOCKET``: a path, or ``@`` and a name in the abstract space."""
    if name.startswith("/") and hasattr(socket, "AF_UNIX"):
        return name
    if name.startswith("@") and len(name) > 1:
        return "\0" + name[1:]
    return None


def _timeout_s(environment: Mapping[str, str]) -> float:
    """Watchdog timeout that concerns this process, seconds; infinite if none does."""
    try:
        timeout_us = int(environment.get("WATCHDOG_USEC", ""))
        for_me = int(environment.get("WATCHDOG_PID", os.getpid())) == os.getpid()
    except ValueError:
        return float("inf")
    return timeout_us * 1e-6 if for_me and timeout_us > 0 else float("inf")

"""Datagrams to a service manager; expected text: sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdr.systemd import Notifier


class Manager:
    """A service manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path)}

    def heard(self) -> list[str]:
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


def test_says_ready_status_and_stopping(manager: Manager) -> None:
    notifier = Notifier(manager.environment)
    notifier.ready()
    notifier.status("receiving\n12 meters")
    notifier.status("receiving 12 meters")  # the same line again
    notifier.stopping()
    assert manager.heard() == ["READY=1", "STATUS=receiving 12 meters", "STOPPING=1"]


def test_feeds_the_watchdog_no_oftener_than_needed(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    notifier = Notifier(
        {**manager.environment, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    )
    assert notifier.ping_interval_s == pytest.approx(10.0)
    for second in range(25):
        now_s[0] = 100.0 + second
        notifier.alive()
    assert manager.heard() == ["WATCHDOG=1"] * 3


def test_a_watchdog_of_another_process_is_not_fed(manager: Manager) -> None:
    notifier = Notifier(
        {**manager.environment, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid() + 1)}
    )
    notifier.alive()
    assert notifier.ping_interval_s == float("inf")
    assert manager.heard() == []


@pytest.mark.parametrize("value", ["", "junk", "0", "-5"])
def test_a_timeout_that_is_none_means_no_watchdog(manager: Manager, value: str) -> None:
    assert Notifier({**manager.environment, "WATCHDOG_USEC": value}).ping_interval_s == float("inf")


def test_speaks_into_the_abstract_name_space() -> None:
    name = f"omsdr-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        receiver.settimeout(5.0)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("name", ["", "@", "relative/path"])
def test_without_a_manager_nothing_is_sent(name: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000"})
    assert not notifier.is_active
    assert notifier.ping_interval_s == float("inf")
    notifier.ready()
    notifier.alive()


def test_a_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready()
    assert notifier.is_active

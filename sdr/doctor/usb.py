"""Radios on USB as Linux shows them, without opening any: permissions, drivers in the way, who uses them.

/sys/bus/usb/devices/1-2/idVendor, idProduct, serial, product, speed, busnum, devnum
/sys/bus/usb/devices/1-2/1-2:1.0/driver  ─▶ the kernel driver that holds the interface
/dev/bus/usb/001/005                        what a program must be allowed to open
/proc/PID/fd/N                           ─▶ who has it open
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdr.doctor.finding import Finding, Level

RADIOS = {
    ("0bda", "2832"): "RTL-SDR",
    ("0bda", "2838"): "RTL-SDR",
    ("1d50", "6089"): "HackRF One",
    ("1d50", "604b"): "HackRF Jawbreaker",
    ("1d50", "cc15"): "rad1o",
    ("1d50", "60a1"): "Airspy",
    ("03eb", "800c"): "Airspy HF+",
    ("1d50", "6108"): "LimeSDR",
    ("0403", "601f"): "LimeSDR Mini",
    ("2cf0", "5246"): "bladeRF",
    ("2cf0", "5250"): "bladeRF 2.0",
    ("0456", "b673"): "ADALM-Pluto",
}
"""USB vendor and product numbers. Source: udev rules of the libraries for these radios."""

_DVB_DRIVER = "dvb_usb_rtl28xxu"
_SLOW_MBIT_S = 480.0  # USB 2.0 high speed: what 2.4 MS/s of two bytes needs a tenth of


@dataclass(frozen=True, slots=True)
class UsbRadio:
    """A radio on USB.

    Attributes:
        name: kind of radio.
        vendor: USB vendor number, hex.
        product: USB product number, hex.
        serial: its serial number, empty if it has none.
        speed_mbit_s: of its connection; None if not known.
        node: file that programs open.
        drivers: kernel drivers that hold it.
    """

    name: str
    vendor: str
    product: str
    serial: str
    speed_mbit_s: float | None
    node: Path
    drivers: tuple[str, ...]


def find_radios(root: Path = Path("/")) -> list[UsbRadio]:
    """List the radios on USB, by their place there.

    Args:
        root: of the file system, for tests.
    """
    devices = root / "sys/bus/usb/devices"
    radios = []
    for folder in sorted(devices.glob("*-*")) if devices.is_dir() else ():
        ids = (_read(folder / "idVendor"), _read(folder / "idProduct"))
        if ids in RADIOS:
            with contextlib.suppress(ValueError):
                bus, number = int(_read(folder / "busnum")), int(_read(folder / "devnum"))
                radios.append(
                    UsbRadio(
                        name=RADIOS[ids],
                        vendor=ids[0],
                        product=ids[1],
                        serial=_read(folder / "serial"),
                        speed_mbit_s=_number(_read(folder / "speed")),
                        node=root / f"dev/bus/usb/{bus:03d}/{number:03d}",
                        drivers=tuple(_drivers(folder)),
                    )
                )
    return radios


def check(root: Path = Path("/")) -> Iterator[Finding]:
    """Look at the radios on USB.

    Args:
        root: of the file system, for tests.
    """
    if not (root / "sys/bus/usb/devices").is_dir():
        yield Finding(
            Level.NOTE, "USB", "this system does not tell its USB devices in /sys; radios not looked for"
        )
        return
    radios = find_radios(root)
    if not radios:
        yield Finding(
            Level.NOTE,
            "radios",
            "none on USB",
            ("plug one in; then lsusb must list it, for an RTL-SDR as 0bda:2838 or 0bda:2832",),
        )
    for radio in radios:
        yield from _check_radio(radio, root)
    for serial, n in Counter(r.serial for r in radios if r.name == "RTL-SDR").items():
        if n > 1:
            yield Finding(
                Level.WARNING,
                "RTL-SDR",
                f"{n} dongles have the same serial number {serial!r}: only their index tells them apart",
                ("rtl_eeprom -d 1 -s 00000002    # with one of them plugged in: -d 0",),
            )


def _check_radio(radio: UsbRadio, root: Path) -> Iterator[Finding]:
    subject = f"{radio.name} {radio.serial}".rstrip()
    user = _user_of(radio.node, root)
    if not radio.node.exists():
        yield Finding(
            Level.FAULT,
            subject,
            f"{radio.node} is missing: in a container, pass the device on",
            ("docker run --device /dev/bus/usb …",),
        )
    elif not os.access(radio.node, os.R_OK | os.W_OK):
        yield Finding(Level.FAULT, subject, f"you may not open {radio.node}", udev_advice(radio))
    elif user is not None:
        yield Finding(
            Level.WARNING,
            subject,
            f"is in use by {user}",
            ("stop that program: one at a time can use a radio",),
        )
    else:
        yield Finding(Level.OK, subject, f"on USB, {radio.node} may be opened")
    if _DVB_DRIVER in radio.drivers:
        yield Finding(
            Level.WARNING,
            subject,
            f"the kernel's television driver {_DVB_DRIVER} holds it",
            (
                f"sudo rmmod {_DVB_DRIVER}",
                f"echo 'blacklist {_DVB_DRIVER}' | sudo tee /etc/modprobe.d/blacklist-{_DVB_DRIVER}.conf",
            ),
        )
    if radio.speed_mbit_s is not None and radio.speed_mbit_s < _SLOW_MBIT_S:
        yield Finding(
            Level.WARNING,
            subject,
            f"its connection does {radio.speed_mbit_s:g} Mbit/s, too little for 2.4 MS/s",
            ("use another port or cable, or a hub of USB 2.0 or later",),
        )


def udev_advice(radio: UsbRadio) -> tuple[str, ...]:
    """Say how to let everybody at the machine open a kind of radio."""
    rule = (
        f'SUBSYSTEM=="usb", ATTRS{{idVendor}}=="{radio.vendor}", ATTRS{{idProduct}}=="{radio.product}", '
        'MODE="0660", GROUP="plugdev", TAG+="uaccess"'
    )
    return (
        f"echo '{rule}' | sudo tee /etc/udev/rules.d/60-{radio.vendor}-{radio.product}.rules",
        "sudo udevadm control --reload && sudo udevadm trigger",
        'sudo usermod -aG plugdev "$USER"    # then log in anew; a service runs with that group',
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _drivers(folder: Path) -> Iterator[str]:
    for driver in sorted(folder.glob("*:*/driver")):
        name = driver.resolve().name
        if name != "usbfs":  # a program has claimed it: see who uses it
            yield name


def _user_of(node: Path, root: Path) -> str | None:
    """Name a process that has a device open, as far as we may see."""
    for link in root.glob("proc/[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink() == node:
                process = link.parents[1]
                return f"{_read(process / 'comm') or 'a program'} (process {process.name})"
    return None

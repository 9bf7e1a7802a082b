"""How many telegrams a second ``omsdr decode -`` turns into JSON lines, in one process, through pipes.

The telegrams are messages of OMS Vol. 2 Annex N in rotation, built anew by the encoder: each with the
address of one of the known meters, the next access number and the next message counter, so that no
telegram comes twice. Hex goes in through a pipe, JSON lines come out through another; the clock starts
when the program has answered a first telegram.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Final

from protocol import address, afl, configuration, transport
from protocol.building import Description, SealingKeys, build
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from protocol.link import LinkFrame
from sdr.bench.machine import children_cpu_s

# Frames without CRCs and the keys that open them: N.2.1, N.2.3, N.2.4, N.5.3 with and without ELL, N.8, N.11.
_ANNEX_N: Final = (
    (
        "0102030405060708090a0b0c0d0e0f11",
        "2e4493157856341233037a2a0020255923c95aaa26d1b2e7493b013ec4a6f6d3529b520edff0ea6defc99d6d69ebf3",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "434493157856341233038c2075900f002c25b30a000021924d4f2fb66e017a75002007109058475f4bc91df8"
        "78b80a1b0f98b629024aac727942bfc549233c0140829b93",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "530824484433221103378e80753a63665544330a31900f002c25b30a0000af5d74df73a600d9727856341293"
        "15330375002007109058475f4bc91df878b80a1b0f98b629024aac727942bfc549233c0140829b93",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "304493444433221155378c00757288776655934455080004100500dfe2a782146d1513581cd2f83f39040cfd1078563412",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "2d4493444433221155377288776655934455080004100500dfe2a782146d1513581cd2f83f39040cfd1078563412",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "21086850785634128f088c80157a02001005fd26ef68acf65bae028bfdc188d8a972",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        "33443a637856341255208ca4e5900f002c25b30a0000ed17236827cea2ff7a7500100710b38c5500993341b1"
        "23674f5938d29933",
    ),
)

MODES: Final = {"plain": 0, "mode 5": 5, "mode 7": 7}
KNOWN_METERS: Final = (1, 1000)
_KEY_BYTES: Final = 16
_CMAC_8: Final = 5
_KDF_A: Final = 1
_FIRST_NUMBER: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class DecodeSpeed:
    """One scenario's figures.

    Attributes:
        security: what protects the telegrams.
        known_meters: rows in the keyring.
        telegrams: sent.
        read: that came out with readings.
        wall_per_s: telegrams a second by the clock on the wall.
        cpu_per_s: telegrams a second of the program's CPU time, without what its start takes.
    """

    security: str
    known_meters: int
    telegrams: int
    read: int
    wall_per_s: float
    cpu_per_s: float


def run(telegrams: int) -> Iterator[DecodeSpeed]:
    """Measure every security mode with every number of known meters.

    Args:
        telegrams: number of telegrams in each scenario.
    """
    for security, mode in MODES.items():
        for known in KNOWN_METERS:
            yield _measure(security, mode, known, telegrams)


def telegrams_of(mode: int, known: int, count: int) -> list[bytes]:
    """Build telegrams in one security mode, from ``known`` meters in turn, none like another."""
    templates = _templates()
    keys = [SealingKeys(message=SecretKey(_key(number))) for number in range(known)]
    return [
        build(_fresh(templates[index % len(templates)], mode, index % known, index), keys[index % known])
        for index in range(count)
    ]


def _key(meter: int) -> bytes:
    return (meter + 1).to_bytes(_KEY_BYTES, "big")


def _templates() -> list[Description]:
    """Return what the messages of the annex say."""
    found = []
    for key, frame in _ANNEX_N:
        ring = Keyring([KeyRow("*", key=SecretKey(bytes.fromhex(key)))])
        telegram = Decoder(ring).decode(bytes.fromhex(frame))
        assert isinstance(telegram.frame, LinkFrame) and telegram.content is not None
        found.append(
            Description(
                c_field=telegram.frame.c_field,
                sender=telegram.frame.address,
                ell=telegram.ell,
                header=telegram.header,
                content=telegram.content.plaintext,
            )
        )
    return found


def _fresh(template: Description, mode: int, meter: int, index: int) -> Description:
    """Return a message from another meter, with its next access number and counter."""
    header, content = template.header, template.content
    assert header is not None and content is not None and template.sender is not None
    sender = _renumbered(template.sender, meter)
    values = {}
    if mode:
        values = {"encrypted_blocks": -(-(2 + len(content)) // 16)}
    if mode == MODES["mode 7"]:
        values |= {"key_derivation": _KDF_A}
    secured = transport.build(
        header.ci,
        index & 0xFF,
        header.status,
        configuration.build(mode, **values),
        meter=None if header.address is None else _renumbered(header.address, meter),
    )
    layer = None
    if mode == MODES["mode 7"]:
        layer = afl.build(authentication_type=_CMAC_8, message_counter=index + 1)
    ell = None if template.ell is None else replace(template.ell, access_number=index & 0xFF)
    return replace(template, sender=sender, ell=ell, afl=layer, header=secured)


def _renumbered(device: address.Address, meter: int) -> address.Address:
    number = f"{_FIRST_NUMBER + meter:08d}"
    assert device.version is not None and device.device_type is not None
    return address.build(device.manufacturer, number, device.version, device.device_type)


def _measure(security: str, mode: int, known: int, count: int) -> DecodeSpeed:
    first, *others = telegrams_of(mode, known, count + 1)
    given = "".join(f"{frame.hex()}\n" for frame in others).encode()
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "meters.toml"
        keys.touch(mode=0o600)
        keys.write_text(
            "".join(
                f'[[meter]]\nid = "{_FIRST_NUMBER + meter}"\nkey = "{_key(meter).hex()}"\n'
                for meter in range(known)
            )
        )
        _, _, start_cpu_s = _timed(keys, first, b"")
        read, wall_s, cpu_s = _timed(keys, first, given)
        return DecodeSpeed(security, known, count, read, count / wall_s, count / (cpu_s - start_cpu_s))


def _timed(keys: Path, first: bytes, given: bytes) -> tuple[int, float, float]:
    """Run the program on all telegrams; return how many are read, and its wall and CPU time in seconds."""
    command = [sys.executable, "-m", "sdr", "decode", "-", "--keys", str(keys)]
    cpu_s = children_cpu_s()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(first.hex().encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        started = time.perf_counter()
        feeder = threading.Thread(target=_feed, args=(process.stdin, given), daemon=True)
        feeder.start()
        read = sum(b'"readings":[{' in line for line in process.stdout)
        wall_s = time.perf_counter() - started
        feeder.join()
    return read, wall_s, children_cpu_s() - cpu_s


def _feed(stream: IO[bytes], given: bytes) -> None:
    stream.write(given)
    stream.close()


def to_dict(result: DecodeSpeed) -> dict[str, object]:
    """Arrange a result for JSON, with the digits that mean something."""
    return {
        name: round(value) if isinstance(value, float) else value for name, value in asdict(result).items()
    }


HEADER = f"{'security':<9} {'known meters':>12} {'telegrams':>10} {'read':>8} {'wall 1/s':>9} {'CPU 1/s':>8}"


def to_row(result: DecodeSpeed) -> str:
    """Write a result as a row under ``HEADER``."""
    return (
        f"{result.security:<9} {result.known_meters:>12} {result.telegrams:>10} {result.read:>8} "
        f"{result.wall_per_s:>9.0f} {result.cpu_per_s:>8.0f}"
    )

"""Message counters; rules of OMS Vol. 2 Issue 5.0.1, 9.3.2."""

import json

from protocol import address
from protocol.ciphers import SecretKey
from protocol.replay import ReplayGuard

METER = address.build("ELS", "12345678", 51, 3)
OTHER = address.build("ELS", "12345679", 51, 3)
KEY, NEW_KEY = SecretKey(bytes(range(16))), SecretKey(bytes(16))


def test_counters_only_rise() -> None:
    guard = ReplayGuard()
    verdicts = [guard.check(METER, KEY, counter) for counter in (5, 6, 6, 5, 100, 6, 0xFFFFFFFF, 0)]
    assert verdicts == ["new", "new", "repeated", "replayed", "new", "replayed", "new", "replayed"]


def test_devices_directions_and_keys_count_for_themselves() -> None:
    guard = ReplayGuard()
    assert guard.check(METER, KEY, 100) == "new"
    assert guard.check(OTHER, KEY, 1) == "new"
    assert guard.check(METER, KEY, 1, "O2M") == "new"
    assert guard.check(METER, NEW_KEY, 1) == "new"
    assert guard.check(METER, KEY, 1) == "replayed"


def test_state_goes_on_and_holds_no_key() -> None:
    guard = ReplayGuard()
    guard.check(METER, KEY, 100)
    saved = json.dumps(guard.state())
    assert bytes(range(4)).hex() not in saved
    again = ReplayGuard(json.loads(saved))
    assert again.check(METER, KEY, 100) == "repeated"
    assert again.check(METER, KEY, 99) == "replayed"
    assert guard.state() == again.state()

"""The telegrams that the decode benchmark sends: fresh ones, and all of them readable."""

import pytest

from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from sdr.bench.decode import DecodeSpeed, run, telegrams_of, to_dict, to_row


@pytest.mark.parametrize(
    ("mode", "outcome"), [(0, Outcome.PLAIN), (5, Outcome.DECRYPTED), (7, Outcome.DECRYPTED)]
)
def test_telegrams_are_fresh_and_readable(mode: int, outcome: Outcome) -> None:
    frames = telegrams_of(mode, 3, 42)
    assert len(set(frames)) == 42
    rows = [
        KeyRow(str(10_000_000 + meter), key=SecretKey((meter + 1).to_bytes(16, "big"))) for meter in range(3)
    ]
    decoder = Decoder(Keyring(rows))
    for frame in frames:
        telegram = decoder.decode(frame)
        assert telegram.security.outcome is outcome
        assert telegram.security.authenticated == (mode == 7)
        assert telegram.readings
        assert telegram.notes == ()


def test_a_small_run() -> None:
    results = list(run(20))
    assert [(result.security, result.known_meters) for result in results] == [
        (security, known) for security in ("plain", "mode 5", "mode 7") for known in (1, 1000)
    ]
    assert all(result.read == result.telegrams == 20 for result in results)
    assert all(result.wall_per_s > 0 for result in results)
    assert "mode 7" in to_row(results[-1])
    assert to_dict(DecodeSpeed("plain", 1, 20, 20, 1.6, 2.4))["wall_per_s"] == 2

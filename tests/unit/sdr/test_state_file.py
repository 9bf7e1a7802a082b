"""The state file: kept now and then while a run lasts, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from protocol.decoder import Decoder
from protocol.keys import Keyring
from sdr.state_file import StateKeeper, load_state

COMPACT_FORMAT_TEACHER = bytes.fromhex(  # a full frame whose headers a compact frame refers to: OMS Vol. 2
    "2e4493157856341233037a2a0000002f2f0c1427048502046d32371f1502fd1700002f2f2f2f2f2f2f2f2f2f2f2f2f"
)


def test_what_was_learnt_is_kept_while_the_run_goes_on(tmp_path: Path) -> None:
    now_s, path, said = 0.0, tmp_path / "state.json", list[str]()
    decoder = Decoder(Keyring(()))
    keeper = StateKeeper(path, decoder.state, said.append, lambda: now_s)
    decoder.decode(COMPACT_FORMAT_TEACHER)
    keeper.look()
    assert not path.exists()  # not yet time
    now_s = 301.0
    keeper.look()
    kept = load_state(path)
    assert kept.items() >= decoder.state().items() and kept["formats"]
    written = path.stat().st_mtime_ns
    now_s = 700.0
    keeper.look()  # nothing new
    assert path.stat().st_mtime_ns == written
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"] and not said


def test_a_state_that_cannot_be_kept_is_told_once_and_tried_again(tmp_path: Path) -> None:
    now_s, folder, said = 0.0, tmp_path / "later", list[str]()
    state: dict[str, object] = {"counters": {"a": 1}}
    keeper = StateKeeper(folder / "state.json", lambda: dict(state), said.append, lambda: now_s)
    for _ in range(3):
        now_s += 301.0
        keeper.look()
    assert len(said) == 1 and "state.json" in said[0]
    folder.mkdir()
    now_s = 1204.0
    keeper.look()
    assert json.loads((folder / "state.json").read_text(encoding="utf-8"))["counters"] == {"a": 1}


def test_no_state_is_asked_for() -> None:
    StateKeeper(None, lambda: 1 / 0, print, lambda: 1e9).look()  # type: ignore[return-value,arg-type]

"""The vocabulary of reasons holds exactly the words that the code uses."""

import ast
from collections.abc import Iterator
from pathlib import Path

import protocol
from protocol import security
from protocol.reasons import REASONS

ERRORS = ("Incomplete", "InvalidField", "Unsupported", "ProtocolError")
LOWER_LAYERS = ("link", "ell", "nwl", "afl", "transport", "security")


def words_used(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if node.func.id in ERRORS and texts and texts[0] in LOWER_LAYERS:
            yield str(texts[1])
        if node.func.id == "Opened":
            named = [keyword.value for keyword in node.keywords if keyword.arg == "problem"]
            for value in (*named, *node.args[5:6]):
                if isinstance(value, ast.Constant):
                    yield str(value.value)


def test_every_reason_is_listed_and_every_listed_reason_is_used() -> None:
    folder = Path(protocol.__file__).parent
    used = {word for source in folder.glob("*.py") for word in words_used(source)}
    # Raised by CrcMismatch itself, by fields.unsigned for any layer, and kept in a table.
    elsewhere = {"crc_mismatch", "value_out_of_range", *security._UNREADABLE.values()}
    assert used | elsewhere == set(REASONS)

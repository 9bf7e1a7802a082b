"""Key files: TOML, CSV, or a folder of wmbusmeters meter files become rows of a keyring.

    TOML      [[meter]] tables with id, manufacturer, version, device_type, key, name
    CSV       a head line with the same names, then one meter per line; ``,`` ``;`` or tab
    folder    one file per meter, lines ``name=`` ``id=`` ``key=``; others are wmbusmeters' own.
              ``wmbusmeters.d`` inside the folder is used if it is there.

Only ``id`` is required. No error and no warning ever shows a key.

Source: this program's contract; wmbusmeters documentation of its meter files and address patterns.
"""

from __future__ import annotations

import csv
import os
import re
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.ciphers import SecretKey
from protocol.keys import Keyring, KeyRow
from sdr.errors import ConfigError
from sdr.toml_table import TomlTable

COLUMNS: Final = ("id", "manufacturer", "version", "device_type", "key", "name")

_METER_FOLDERS: Final = ("wmbusmeters.d", "etc/wmbusmeters.d")
_BETWEEN_DIGITS: Final = re.compile(r"[\s:-]")
_NO_KEY: Final = frozenset({"", "nokey"})
_ANY_ID: Final = "ANYID"
"""What older wmbusmeters files write for ``*``."""
_MANUFACTURER: Final = re.compile(r"[A-Za-z@\[\\\]^_]{3}")
_WIRED_ADDRESS: Final = re.compile(r"p[0-9]{1,3}")
_BACKUP_ENDINGS: Final = ("~", ".bak", ".swp")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file holds.

    Attributes:
        rows: its meters, in order.
        warnings: sentences for the user.
    """

    rows: tuple[KeyRow, ...]
    warnings: tuple[str, ...]


def parse_key(text: str) -> SecretKey | None:
    """Read a key as users write it: hex digits, blanks, colons and dashes between them, 0x; empty for none.

    Raises:
        ConfigError: not 16 (or for DES 8) bytes in hex; the text itself is not shown.
    """
    digits = _BETWEEN_DIGITS.sub("", text).lower().removeprefix("0x")
    if digits in _NO_KEY:
        return None
    try:
        return SecretKey(bytes.fromhex(digits))
    except ValueError:
        raise ConfigError(
            f"a key has 32 hex digits (16 for DES), not {len(digits)} characters like these"
        ) from None


def keyring_of(rows: tuple[KeyRow, ...] = (), single_key: str | None = None) -> Keyring:
    """Make a keyring of rows and of one more key, as hex, that is tried on every telegram.

    Raises:
        ConfigError: the key is none.
    """
    return Keyring((*rows, KeyRow("*", key=parse_key(single_key))) if single_key else rows)


def load(path: Path) -> KeyFile:
    """Read a TOML or CSV key file, or a folder of wmbusmeters meter files.

    Raises:
        ConfigError: the file is not there, unreadable, or says something that makes no sense.
    """
    try:
        if path.is_dir():
            return _load_folder(path)
        text = _text_of(path)
        rows = _rows_of_csv(path, text) if path.suffix.lower() == ".csv" else _rows_of_toml(path, text)
        return KeyFile(tuple(rows), _readable_warning([path] if _has_key(rows) else []))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8") from None


def _has_key(rows: list[KeyRow]) -> bool:
    return any(row.key is not None for row in rows)


def _readable_warning(paths: list[Path]) -> tuple[str, ...]:
    """Warn of files with keys that every user of the machine may read."""
    if os.name != "posix":
        return ()
    open_files = [path for path in paths if path.stat().st_mode & stat.S_IROTH]
    if not open_files:
        return ()
    more = f" and {len(open_files) - 1} more files" if len(open_files) > 1 else ""
    return (f"{open_files[0]}{more}: keys are readable by others (chmod o-r)",)


def _row(values: dict[str, str | int | None], where: str, excluded: tuple[str, ...] = ()) -> KeyRow:
    """Make a row of checked values.

    Raises:
        ConfigError: a value makes no sense.
    """
    manufacturer = values.get("manufacturer")
    if manufacturer is not None and not _MANUFACTURER.fullmatch(str(manufacturer)):
        raise ConfigError(f"{where}: a manufacturer has three letters")
    numbers: dict[str, int | None] = {}
    for name in ("version", "device_type"):
        value = values.get(name)
        try:
            numbers[name] = int(value, 0) if isinstance(value, str) else value
        except ValueError:
            raise ConfigError(f"{where}: {name} is no number") from None
        if not 0 <= (numbers[name] or 0) <= 0xFF:
            raise ConfigError(f"{where}: {name} must be from 0 to 255")
    label = values.get("name")
    try:
        row = KeyRow(
            id=str(values["id"]),
            manufacturer=None if manufacturer is None else str(manufacturer).upper(),
            version=numbers["version"],
            device_type=numbers["device_type"],
            key=parse_key(str(values.get("key") or "")),
            name=None if label is None else str(label),
            excluded=excluded,
        )
        Keyring([row])
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    return row


def _rows_of_toml(path: Path, text: str) -> list[KeyRow]:
    """Read ``[[meter]]`` tables."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    document = TomlTable(tables, str(path))
    meters = document.take("meter", [])
    document.finish()
    if not isinstance(meters, list) or not all(isinstance(meter, dict) for meter in meters):
        raise document.error("meters are written as [[meter]] tables")
    return [_row_of_table(meter, f"{path}: meter {number}") for number, meter in enumerate(meters, start=1)]


def _row_of_table(meter: dict[str, object], where: str) -> KeyRow:
    table = TomlTable(meter, where)
    values: dict[str, str | int | None] = {"id": table.text("id")}
    for name in ("manufacturer", "name"):
        values[name] = table.text(name) if name in table else None
        table.take(name)
    for name in ("version", "device_type"):
        values[name] = table.whole(name, most=0xFF) if name in table else None
        table.take(name)
    key = table.take("key")
    table.finish()
    if key is not None and not isinstance(key, str):
        raise table.error("key must be a text in quotes")
    values["key"] = key
    return _row(values, where)


def _rows_of_csv(path: Path, text: str) -> list[KeyRow]:
    """Read a table with a head line."""
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    cells_of_head = next(csv.reader([head], delimiter=delimiter), [])
    columns = [column.strip().lower() for column in cells_of_head]
    unknown = [column for column in columns if column not in COLUMNS]
    if "id" not in columns or unknown or len(set(columns)) < len(columns):
        raise ConfigError(f"{path}: the first line must name columns of {', '.join(COLUMNS)}; id is required")
    rows = []
    # Not strict: a lone quotation mark in a name is no reason to fail.
    for number, cells in enumerate(csv.reader(lines[1:], delimiter=delimiter), start=2):
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{path}: line {number}"
        if len(cells) > len(columns):
            raise ConfigError(f"{where}: has more cells than the first line")
        stripped = (cell.strip() or None for cell in cells)
        values: dict[str, str | int | None] = dict(zip(columns, stripped, strict=False))
        if values.get("id") is None:
            raise ConfigError(f"{where}: id is missing")
        rows.append(_row(values, where))
    return rows


def _load_folder(folder: Path) -> KeyFile:
    """Read wmbusmeters meter files, in order of their names."""
    for inner in _METER_FOLDERS:
        if (folder / inner).is_dir():
            folder = folder / inner
            break
    rows: list[KeyRow] = []
    warnings: list[str] = []
    with_keys = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(_BACKUP_ENDINGS) or not path.is_file():
            continue
        found = _rows_of_meter_file(path, warnings)
        if _has_key(found):
            with_keys.append(path)
        rows += found
    if not rows:
        warnings.append(f"{folder}: holds no meter files")
    return KeyFile(tuple(rows), (*warnings, *_readable_warning(with_keys)))


def _rows_of_meter_file(path: Path, warnings: list[str]) -> list[KeyRow]:
    """Read one meter file; files without an id are something else and skipped with a warning."""
    values: dict[str, str] = {}
    for line in _text_of(path).splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith("#"):
            values.setdefault(name.strip().lower(), value.strip())
    if "id" not in values:
        warnings.append(f"{path}: has no id, skipped")
        return []
    expressions = [expression.strip() for expression in values["id"].split(",")]
    excluded = tuple(expression[1:].strip() for expression in expressions if expression.startswith("!"))
    if any("." in expression for expression in excluded):
        raise ConfigError(f"{path}: only ids can be excluded: {values['id']}")
    rows = []
    for expression in expressions:
        if expression.startswith("!"):
            continue
        if _WIRED_ADDRESS.fullmatch(expression):
            warnings.append(f"{path}: primary addresses say nothing about a key, {expression} skipped")
            continue
        rows.append(_row(_address_expression(expression, path) | _named(values), str(path), excluded))
    return rows


def _named(values: dict[str, str]) -> dict[str, str | int | None]:
    return {"key": values.get("key"), "name": values.get("name")}


def _address_expression(expression: str, path: Path) -> dict[str, str | int | None]:
    """Take an expression like ``12345678.M=KAM.V=1b.T=16`` apart; version and type are hex."""
    number, *parts = expression.split(".")
    values: dict[str, str | int | None] = {"id": "*" if number.upper() == _ANY_ID else number}
    for part in parts:
        letter, _, value = part.partition("=")
        try:
            match letter:
                case "M":
                    values["manufacturer"] = value
                case "V":
                    values["version"] = int(value, 16)
                case "T":
                    values["device_type"] = int(value, 16)
                case _:
                    raise ValueError
        except ValueError:
            raise ConfigError(f"{path}: no address: {expression!r}") from None
    return values

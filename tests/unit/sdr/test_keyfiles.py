"""Key files in all forms of the contract; nothing secret in any message."""

import os
from pathlib import Path

import pytest

from protocol import address
from protocol.ciphers import SecretKey
from protocol.keys import KeyRow
from sdr.errors import ConfigError
from sdr.keyfiles import keyring_of, load, parse_key

GAS_KEY = "0102030405060708090A0B0C0D0E0F11"
GAS = SecretKey(bytes.fromhex(GAS_KEY))
METER = address.build("ELS", "12345678", 51, 3)

TOML = f"""
[[meter]]
id = "12345678"
manufacturer = "els"
version = 51
device_type = 0x03
key = "{GAS_KEY}"
name = "gas cellar"

[[meter]]
id = "55*"
key = "133457799BBCDFF1"

[[meter]]
id = "87654321"
name = "no key"
"""


def private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_toml(tmp_path: Path) -> None:
    loaded = load(private(tmp_path / "keys.toml", TOML))
    assert loaded.warnings == ()
    assert loaded.rows == (
        KeyRow("12345678", "ELS", 51, 3, GAS, "gas cellar"),
        KeyRow("55*", key=SecretKey(bytes.fromhex("133457799BBCDFF1"))),
        KeyRow("87654321", name="no key"),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    lines = [
        ["Name", "ID", "key", "manufacturer", "version", "device_type"],
        ["gas cellar", "12345678", GAS_KEY, "ELS", "51", "0x03"],
        [],
        ["no key", "8765*"],
        ["", "87654321", "NOKEY", "", "", ""],
    ]
    text = "\ufeff" + "\r\n".join(delimiter.join(cells) for cells in lines)
    loaded = load(private(tmp_path / "keys.csv", text))
    assert loaded.rows == (
        KeyRow("12345678", "ELS", 51, 3, GAS, "gas cellar"),
        KeyRow("8765*", name="no key"),
        KeyRow("87654321"),
    )


def test_csv_with_all_cells_quoted(tmp_path: Path) -> None:
    text = f'"id";"key";"name"\n"12345678";"{GAS_KEY}";"gas; cellar"\n'
    assert load(private(tmp_path / "keys.csv", text)).rows == (
        KeyRow("12345678", key=GAS, name="gas; cellar"),
    )


def test_any_id_of_older_wmbusmeters_files(tmp_path: Path) -> None:
    private(tmp_path / "Any", f"name=Any\nid=ANYID\nkey={GAS_KEY}\n")
    assert load(tmp_path).rows == (KeyRow("*", key=GAS, name="Any"),)


def test_wmbusmeters_folder(tmp_path: Path) -> None:
    meters = tmp_path / "wmbusmeters.d"
    meters.mkdir()
    private(tmp_path / "wmbusmeters.conf", "loglevel=normal\ndevice=auto:t1\n")
    private(meters / "GasCellar", f"name=GasCellar\ndriver=auto\nid=12345678\nkey={GAS_KEY.lower()}\n")
    private(
        meters / "Water", "# comment\n\nname = Water\n type=multical21\nid=76348799,7634*,!76340000\nkey=\n"
    )
    private(meters / "Heat", f"name=Heat\ndriver=kamheat:c1\nid=22223333.M=KAM.V=1b.T=04\nkey={GAS_KEY}\n")
    private(meters / "Notes", "# nothing here\n")
    private(meters / "Bus", "name=Bus\nid=p1\nkey=NOKEY\n")
    private(meters / "Old~", "id=broken")
    private(meters / ".hidden", "id=broken")
    (meters / "folder").mkdir()
    loaded = load(tmp_path)
    assert loaded.rows == (
        KeyRow("12345678", key=GAS, name="GasCellar"),
        KeyRow("22223333", "KAM", 0x1B, 4, GAS, "Heat"),
        KeyRow("76348799", name="Water", excluded=("76340000",)),
        KeyRow("7634*", name="Water", excluded=("76340000",)),
    )
    assert [warning.split(": ")[1] for warning in loaded.warnings] == [
        "primary addresses say nothing about a key, p1 skipped",
        "has no id, skipped",
    ]
    assert load(meters).rows == loaded.rows


def test_empty_folder_and_empty_files(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.rows == ()
    assert "holds no meter files" in loaded.warnings[0]
    assert load(private(tmp_path / "keys.toml", "")).rows == ()


@pytest.mark.skipif(os.name != "posix", reason="file permissions of POSIX")
def test_files_that_others_can_read_are_warned_of(tmp_path: Path) -> None:
    path = private(tmp_path / "keys.toml", TOML)
    path.chmod(0o644)
    (warning,) = load(path).warnings
    assert "readable by others" in warning
    assert str(path) in warning
    harmless = private(tmp_path / "names.toml", '[[meter]]\nid = "12345678"\n')
    harmless.chmod(0o644)
    assert load(harmless).warnings == ()
    for name in ("a", "b"):
        private(tmp_path / name, f"id=12345678\nkey={GAS_KEY}").chmod(0o644)
    path.unlink()
    harmless.unlink()
    assert "and 1 more files" in load(tmp_path).warnings[-1]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("k.toml", "[[meter]\n", "line 1"),
        ("k.toml", "[meter]\nid = '12345678'\n", "[[meter]]"),
        ("k.toml", "[[meters]]\nid = '12345678'\n", "did you mean 'meter'"),
        ("k.toml", "[[meter]]\nname = 'x'\n", "meter 1: id is missing"),
        ("k.toml", "[[meter]]\nid = 12345678\n", "id must be a text"),
        ("k.toml", "[[meter]]\nid = '1234567'\n", "an id has 8 hex digits"),
        ("k.toml", "[[meter]]\nid = '*'\nmanufacturer = 'ELSE'\n", "three letters"),
        ("k.toml", "[[meter]]\nid = '*'\nversion = 256\n", "version must be"),
        ("k.toml", "[[meter]]\nid = '*'\nversion = '51'\n", "version must be a whole number"),
        ("k.toml", "[[meter]]\nid = '*'\nkey = 0xA1B2C3D4\n", "key must be a text"),
        ("k.toml", "[[meter]]\nid = '*'\nkey = 'A1B2C3D4'\n", "32 hex digits"),
        ("k.toml", "[[meter]]\nid = '*'\nkey = 'A1B2C3D4xxA1B2C3D4A1B2C3D4A1B2C3'\n", "32 hex digits"),
        ("k.toml", "[[meter]]\nid = '*'\nkez = 'A1B2C3D4'\n", "did you mean 'key'"),
        ("k.csv", "", "first line must name columns"),
        ("k.csv", "id,kez\n", "first line must name columns"),
        ("k.csv", "id,id\n", "first line must name columns"),
        ("k.csv", "name,key\n", "first line must name columns"),
        ("k.csv", "id,key\n12345678,A1B2C3D4\n", "line 2: a key has 32 hex digits"),
        ("k.csv", "id,key\n\n,A1B2C3D4\n", "line 3: id is missing"),
        ("k.csv", "id\n12345678,A1B2C3D4\n", "line 2: has more cells"),
        ("k.csv", "id,version\n12345678,A1B2C3D4\n", "version is no number"),
        ("k.csv", "id,version\n12345678,-1\n", "version must be from 0 to 255"),
        ("k.csv", f"id,key\n{GAS_KEY},\n", "an id has 8 hex digits"),
        ("k.csv", f"id,key,manufacturer\n*,,{GAS_KEY}\n", "a manufacturer has three letters"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    path = private(tmp_path / name, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)
    assert "A1B2C3D4" not in str(caught.value)
    assert GAS_KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id=1234\nkey=", "an id has 8 hex digits"),
        ("id=12345678.X=1", "no address"),
        ("id=12345678.V=xyz", "no address"),
        ("id=12345678.M=ELSE", "three letters"),
        ("id=*,!1234*.M=ELS", "only ids can be excluded"),
        ("id=12345678\nkey=A1B2C3D4", "32 hex digits"),
    ],
)
def test_mistakes_in_meter_files(tmp_path: Path, text: str, problem: str) -> None:
    private(tmp_path / "Meter", text)
    with pytest.raises(ConfigError, match="Meter") as caught:
        load(tmp_path)
    assert problem in str(caught.value)
    assert "A1B2C3D4" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(binary)


def test_single_key() -> None:
    assert keyring_of(single_key=f" {GAS_KEY[:16]} {GAS_KEY[16:]} ").candidates(METER).keys == (GAS,)
    assert keyring_of().candidates(METER).keys == ()
    assert parse_key("") is None
    pairs = [GAS_KEY[k : k + 2] for k in range(0, len(GAS_KEY), 2)]
    assert [parse_key(text) for text in (f"0x{GAS_KEY}", ":".join(pairs), "-".join(pairs))] == [GAS] * 3
    with pytest.raises(ConfigError) as caught:
        keyring_of(single_key="A1B2")
    assert "A1B2" not in str(caught.value)


def test_keyring_of_file_and_single_key(tmp_path: Path) -> None:
    loaded = load(private(tmp_path / "keys.toml", TOML))
    ring = keyring_of(loaded.rows, "00" * 16)
    assert ring.candidates(METER).keys == (GAS, SecretKey(bytes(16)))
    assert ring.candidates(METER).name == "gas cellar"
    assert loaded.warnings == ()

"""The keys of schema 1 and what they hold; docs/json.md is made of these tables."""

from __future__ import annotations

from typing import Final

LINE_KEYS: Final = {
    "schema": "number of the schema, 1",
    "time": "UTC of the first preamble chip in ISO 8601, null where no clock is known",
    "mode": "radio mode S, T, C, R, N or F, or wired; null where nothing tells",
    "direction": "M2O from the meter, O2M to the meter, null where it fits both",
    "frame_format": "A or B, null where the bytes came without block CRCs",
    "frame_hex": "the frame from the L-field on, without block CRCs; a wired frame is whole",
    "raw_hex": "the bytes as received",
    "repaired": "bits changed because a CRC failed",
    "radio": "radio quality, null where there was no radio",
    "link": "link layer: the sender",
    "meter": "the device that the readings belong to; null where a wired frame does not tell it; "
    "in a fixed data structure all its keys but id are null",
    "ell": "extended link layer",
    "nwl": "network layer; absent without one",
    "afl": "authentication and fragmentation layer",
    "transport": "transport header",
    "security": "what became of the protection",
    "application": "application data; null where none could be read",
    "readings": "named quantities, in the order sent",
    "notes": "what is unusual about the telegram",
    "problem": "layer and reason of what could not be read; absent without one",
}

REJECTED_LINE_KEYS: Final = {
    "schema": "number of the schema, 1",
    "time": "as for telegrams",
    "mode": "as for telegrams",
    "rejected": "why there is no telegram",
    "raw_hex": "the bytes, as far as there were any",
    "radio": "as for telegrams",
}

REJECTED_KEYS: Final = {
    "layer": "phy, input, or the layer that failed",
    "reason": "word of the reasons",
    "block": "first block whose CRC does not fit; with crc_mismatch",
    "line": "number of the input line, with omsdr decode",
}

RADIO_KEYS: Final = {
    "rssi_dbfs": "mean power of the burst; a full-scale tone is 0",
    "snr_db": "Ec/N0: rssi_dbfs - noise_dbfs",
    "noise_dbfs": "noise power in a bandwidth equal to the chip rate",
    "carrier_hz": "middle between the tones",
    "frequency_error_hz": "from the nominal carrier of the mode",
    "deviation_hz": "half the distance of the tones",
    "chip_rate_hz": "mean over the burst",
    "inverted": "the spectrum is upside down",
    "first_sample": "sample of the first preamble chip, since the start of the recording",
    "duration_ms": "from there to the last CRC chip",
    "device": "the radio that heard it best; absent unless several listen",
    "copies": "how the other radios heard it: device, rssi_dbfs, snr_db, frequency_error_hz; likewise",
}

ADDRESS_KEYS: Final = {
    "manufacturer": "three letters",
    "id": "8 hex digits as shown",
    "version": "version byte",
    "device_type": "device type code",
    "device_type_name": "its name",
    "unique": "false where the manufacturer says that the address is not unique; else absent",
}

LINK_KEYS: Final = {
    "c_field": "C-field as hex",
    "function": "what the frame is for",
    **ADDRESS_KEYS,
    "address_order": "vendor or id_only where the sender arranges its address in its own way; else absent",
    "address_tail": "the two bytes that stand in place of version and type; with id_only",
    "address_field": "A-field of a wired frame; absent on radio",
    "address_field_meaning": "what it addresses",
}

METER_KEYS: Final = {**ADDRESS_KEYS, "name": "what the key file calls it; absent without a name"}

ELL_KEYS: Final = {
    "ci": "CI-field, which tells the layout",
    "communication_control": "CC as hex; absent in layout V",
    "flags": "words for the bits of CC that are set",
    "access": "when the sender listens",
    "delay": "how long an answer waits",
    "access_number": "access number of the link",
    "receiver": "address of the station that the frame is for, in layouts III and IV",
    "encryption": "method of the session: 0 none, 1 AES-128-CTR; in layouts II and IV",
    "session_minutes": "time of the session in minutes",
    "session_counter": "number of the session within its minute",
    "skipped_hex": "content of layout V, whose meaning is not public",
}

NWL_KEYS: Final = {"routing": "the byte behind the CI-field"}

AFL_KEYS: Final = {
    "control": "fragmentation control field as hex",
    "fragment": "number of the fragment, 0 for a whole message",
    "more_fragments": "whether another fragment follows",
    "fragment_bytes": "bytes of the message in this fragment; absent for a whole message",
    "message_control": "message control field as hex, null if absent",
    "authentication_type": "kind of MAC of the message, 0 none",
    "mac_bytes": "length of the MAC in this telegram, 0 without",
    "message_counter": "message counter, null if absent",
    "message_length": "length of the whole message, null if absent",
    "key_information": "key information as hex: version, derivation, number; absent without",
}

TRANSPORT_KEYS: Final = {
    "ci": "CI-field as hex",
    "access_number": "access number, null without a header",
    "status": "status byte, null without a header",
    "status_flags": "words for its bits, from the device",
    "security_mode": "security mode, 0 without a header",
    "configuration": "configuration field; absent without a header",
    "reception_level_dbm": "level at which the device is received, to the device; else absent",
    "key_version": "version of the key; absent without",
    "message_counter": "message counter of the header; absent without",
}

CONFIGURATION_KEYS: Final = {
    "field": "the 16 bits as hex, high byte first",
    "extension": "extension bytes as hex, as transmitted; absent without",
}
"""Beside the names of the bit fields of the mode."""

SECURITY_KEYS: Final = {
    "profile": "OMS security profile: none, A, B, C, D; null for no such",
    "outcome": "what became of it",
    "authenticated": "whether a MAC or tag was verified",
    "message_counter": "counter of the whole message; absent without",
    "candidate": "which of several candidate keys fits, from 0; absent for the first",
}

APPLICATION_KEYS: Final = {
    "protocol": "what the data are",
    "plaintext_hex": "the decrypted data",
    "partial": "true where only the part that was never encrypted could be read; else absent",
    "fillers": "runs of idle fillers: records before them, and their number; absent without",
    "manufacturer_data_hex": "data behind DIF 0F or 1F; absent without",
    "more_records_follow": "with manufacturer_data_hex: DIF 1F, the records go on in the next telegram",
    "left_over_hex": "bytes behind the last record that are no whole record; absent without",
    "left_over_reason": "why they are none: truncated, reserved_dif or reserved_lvar",
    "data_hex": "data without a public layout",
    "body_hex": "all of the data, where the other fields would not give them again",
    "format_signature": "compact frame: name of its format",
    "format_records": "compact frame: records of the format, where others follow",
    "headers": "format frame: DIB and VIB of each record",
    "code": "application error or image transfer: its code; null where an error has none",
    "name": "application error or select: meaning of the code",
    "name_2009": "application error: what the code meant in OMS 2.0",
    "flags": "alarm: the byte",
    "bits": "alarm: the bits that are set",
    "reset": "application reset",
    "parameter": "application select: the byte",
    "application": "application select: number of the application",
    "block": "application select: number of the block",
    "action": "clock command: set, add, subtract or correct",
    "time": "clock command: date and time, or time of day",
    "time_hex": "clock command: the time as sent, where it is coded in an unusual way",
    "time_notes": "clock command: what is unusual about the time",
    "control": "SITP: block control field",
    "function": "SITP or image transfer: what it does, null where that is not public",
    "manufacturer_field": "device selection: M-field as hex",
    "id": "device selection: number, F for any digit; fixed data structure: number of the meter",
    "version": "device selection: version, 255 for any",
    "device_type": "device selection: type, 255 for any",
    "access_number": "fixed data structure: access number",
    "status": "fixed data structure: status byte",
    "status_flags": "fixed data structure: words for its bits",
    "medium": "fixed data structure: code of the medium",
    "medium_name": "fixed data structure: its name",
    "units": "fixed data structure: codes of the units of both counters",
    "tls": "TLS records: type, version, length, handshakes, whole",
}

READING_KEYS: Final = {
    "quantity": "what is measured",
    "value": "number (exact decimal), text, ISO date or date-time, or null with a note",
    "unit": "unit of the value, null without one",
    "function": "kind of value",
    "storage": "storage number: 0 current, 1 due date, others history",
    "tariff": "tariff number",
    "subunit": "subunit number",
    "qualifiers": "what the VIFEs add",
    "dib_vib": "header of the record (of a counter of fixed data: that it stands for); null in DLMS, SML",
    "raw_hex": "its data; null in DLMS and SML",
    "obis": "OBIS code; absent where none is known",
    "tag": "M-Bus tag; absent where none is known",
    "at": "date of the value; absent where the telegram does not tell it",
    "notes": "what is unusual about the reading; absent without",
    "coded_hex": "data bytes, only where the value alone would be coded otherwise",
    "profile": "content of a compact profile",
}

PROFILE_KEYS: Final = {
    "increment_mode": "absolute, positive_increment, negative_increment or signed_difference",
    "spacing_unit": "s, min, h or d",
    "spacing_value": "number of units; 253 half months, 254 months (d), quarters (h), half years (min)",
    "element_field": "code of the data field of an element",
    "elements": "the scaled elements, null for a gap",
}

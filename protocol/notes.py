"""The words that say what is unusual about a record or a reading.

A note never replaces data: the record keeps its bytes, the reading its value where it has one.
A value of None always comes with at least one note.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Note(StrEnum):
    """Closed vocabulary of ``DataRecord.notes``, ``DataRecord.problem`` and ``Reading.notes``."""

    # The record's structure is broken; the bytes are kept.
    TRUNCATED = "truncated"
    TOO_MANY_DIFE = "too_many_dife"
    TOO_MANY_VIFE = "too_many_vife"
    RESERVED_DIF = "reserved_dif"
    RESERVED_LVAR = "reserved_lvar"

    # The header is whole, its meaning is not known or not public.
    RESERVED_VIF = "reserved_vif"
    RESERVED_VIFE = "reserved_vife"
    OBSOLETE_VIF = "obsolete_vif"
    UNCERTAIN_VIF = "uncertain_vif"
    MANUFACTURER_SPECIFIC = "manufacturer_specific"
    NON_METRIC_UNSUPPORTED = "non_metric_unsupported"
    DATA_TYPE_UNSUPPORTED = "data_type_unsupported"
    DATA_FIELD_MISMATCH = "data_field_mismatch"

    # What the data say about themselves.
    NO_DATA = "no_data"
    SELECTION_FOR_READOUT = "selection_for_readout"
    READOUT_REQUEST = "readout_request"
    INVALID_VALUE = "invalid_value"
    NOT_BCD = "not_bcd"
    NEGATIVE_ZERO = "negative_zero"
    NOT_A_DATE = "not_a_date"
    DATE_NEVER = "date_never"
    EVERY = "every"
    SUMMER_TIME = "summer_time"
    CENTURY_CORRECTED = "century_corrected"

    # Record errors that the device reports (VIFE 00-0F and 15-1C, EN 13757-3).
    ERROR_TOO_MANY_DIFE = "record_error_too_many_dife"
    ERROR_STORAGE = "record_error_storage_not_implemented"
    ERROR_UNIT = "record_error_unit_not_implemented"
    ERROR_TARIFF = "record_error_tariff_not_implemented"
    ERROR_FUNCTION = "record_error_function_not_implemented"
    ERROR_DATA_CLASS = "record_error_data_class_not_implemented"
    ERROR_DATA_SIZE = "record_error_data_size_not_implemented"
    ERROR_TOO_MANY_VIFE = "record_error_too_many_vife"
    ERROR_VIF_GROUP = "record_error_illegal_vif_group"
    ERROR_EXPONENT = "record_error_illegal_exponent"
    ERROR_MISMATCH = "record_error_vif_dif_mismatch"
    ERROR_ACTION = "record_error_unimplemented_action"
    ERROR_NO_DATA = "record_error_no_data"
    ERROR_OVERFLOW = "record_error_overflow"
    ERROR_UNDERFLOW = "record_error_underflow"
    ERROR_DATA = "record_error_data_error"
    ERROR_PREMATURE_END = "record_error_premature_end"

    # Load profiles.
    PROFILE = "profile"
    PROFILE_MALFORMED = "profile_malformed"
    PROFILE_WITHOUT_BASE_VALUE = "profile_without_base_value"
    PROFILE_WITHOUT_BASE_DATE = "profile_without_base_date"
    PROFILE_SPACING_RESERVED = "profile_spacing_reserved"
    PROFILE_GAP = "profile_gap"
    HALF_MONTH_ASSUMED = "half_month_assumed"

    # Compact frames (of the telegram, not of one reading).
    COMPACT_FORMAT_UNKNOWN = "compact_format_unknown"
    COMPACT_CRC_MISMATCH = "compact_crc_mismatch"


DOUBTFUL: Final = frozenset(
    {
        Note.RESERVED_VIF,
        Note.RESERVED_VIFE,
        Note.OBSOLETE_VIF,
        Note.UNCERTAIN_VIF,
        Note.NON_METRIC_UNSUPPORTED,
        Note.DATA_TYPE_UNSUPPORTED,
        Note.DATA_FIELD_MISMATCH,
        Note.SELECTION_FOR_READOUT,
        Note.READOUT_REQUEST,
        Note.NOT_BCD,
        Note.NOT_A_DATE,
        *(note for note in Note if note.value.startswith("record_error")),
    }
)
"""What seldom stands in records, but often in bytes that are none."""

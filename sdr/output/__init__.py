"""Where receptions go: JSON lines, a table, hex, rtl_wmbus lines."""

from sdr.output.writers import FORMATS, Output, open_output, parse_target

__all__ = ["FORMATS", "Output", "open_output", "parse_target"]

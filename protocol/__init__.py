"""The OMS protocol stack: bytes in, frozen dataclasses out; knows no samples and no radios."""

"""Bytes read forward only: the same code reads files, pipes and standard input."""

from __future__ import annotations

from typing import BinaryIO

from sdr.errors import RecordingError

_SKIP_BYTES = 1 << 16


class ByteStream:
    """A binary stream with a position and a look ahead; read errors become RecordingErrors.

    Attributes:
        name: the file as the user named it, for error texts.
        n_bytes: length of a regular file, None for a pipe.
        position: absolute number of the next byte.
    """

    def __init__(self, file: BinaryIO, name: str, n_bytes: int | None, *, borrowed: bool = False) -> None:
        self.name = name
        self.n_bytes = n_bytes
        self.position = 0
        self._file = file
        self._borrowed = borrowed
        self._ahead = b""

    def peek(self, n_bytes: int) -> bytes:
        """Look at the next bytes without taking them; fewer only at the end."""
        if len(self._ahead) < n_bytes:
            more = bytearray(n_bytes - len(self._ahead))
            self._ahead += more[: self._fill(memoryview(more))]
        return self._ahead[:n_bytes]

    def read(self, n_bytes: int) -> bytes:
        """Take the next bytes; fewer only at the end."""
        content = bytearray(n_bytes)
        return bytes(content[: self.read_into(memoryview(content))])

    def read_into(self, target: memoryview) -> int:
        """Fill ``target`` (bytes) however short the single reads are; returns the number of bytes got."""
        n_ahead = min(len(self._ahead), len(target))
        target[:n_ahead] = self._ahead[:n_ahead]
        self._ahead = self._ahead[n_ahead:]
        n_got = n_ahead + self._fill(target[n_ahead:])
        self.position += n_got
        return n_got

    def skip(self, n_bytes: int) -> int:
        """Pass over bytes; returns how many there were."""
        if self.n_bytes is not None:
            n_skipped = max(0, min(n_bytes, self.n_bytes - self.position))
            self.seek(self.position + n_skipped)
            return n_skipped
        n_left = n_bytes
        while n_left:
            n_got = len(self.read(min(n_left, _SKIP_BYTES)))
            if not n_got:
                break
            n_left -= n_got
        return n_bytes - n_left

    def seek(self, position: int) -> None:
        """Go to an absolute position; on a pipe only forwards."""
        if position == self.position:
            return
        if self.n_bytes is None:
            if position < self.position:
                raise RecordingError(self.name, "a pipe can be read only once")
            self.skip(position - self.position)
            return
        try:
            self._file.seek(position)
        except (OSError, ValueError) as error:
            raise RecordingError(self.name, f"cannot be read: {error}") from error
        self._ahead = b""
        self.position = position

    def close(self) -> None:
        """Close the stream underneath, unless it was borrowed (standard input)."""
        if not self._borrowed:
            self._file.close()

    def _fill(self, target: memoryview) -> int:
        n_got = 0
        while n_got < len(target):
            try:
                # ``readinto`` is on every binary stream but not in the type's protocol
                n_read = self._file.readinto(target[n_got:])  # type: ignore[attr-defined]
            except (OSError, ValueError) as error:
                raise RecordingError(self.name, f"cannot be read: {error}") from error
            if n_read is None:
                raise RecordingError(
                    self.name, "has nothing to read now and does not wait; use a blocking pipe"
                )
            if not n_read:
                break
            n_got += n_read
        return n_got

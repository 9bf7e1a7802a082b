"""What can go wrong between the outside world and the receive chain.

    RadioError          exit code 1
      UsageError                  2   an option makes no sense
      ConfigError                 3   configuration or keys
      DeviceNotFound              4   the radio is not there or cannot be opened
      DeviceLost                  5   the radio went away while running
      RecordingError              6   input unreadable or of unknown format
      TransmissionRefused         8   it may not be radiated

Each class carries the exit code that the command line ends with.
"""

from __future__ import annotations

from typing import ClassVar


class RadioError(Exception):
    """Base of all errors that end with one clear sentence instead of a traceback."""

    exit_code: ClassVar[int] = 1


class UsageError(RadioError, ValueError):
    """An option or argument makes no sense."""

    exit_code = 2


class ConfigError(RadioError, ValueError):
    """A configuration or key file makes no sense."""

    exit_code = 3


class DeviceNotFound(RadioError):
    """A radio is not there, or cannot be opened."""

    exit_code = 4


class DeviceLost(RadioError):
    """A radio stopped answering."""

    exit_code = 5


class RecordingError(RadioError):
    """A recording that cannot be read or written.

    Attributes:
        name: the file as the user named it, ``-`` for standard input.
        problem: what is wrong and, where something can be done, what to pass.
    """

    exit_code = 6

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{'standard input' if name == '-' else name}: {problem}")
        self.name = name
        self.problem = problem

    def __reduce__(self) -> tuple[type[RecordingError], tuple[str, str]]:
        """Let the error cross process borders (``--jobs``) with both its facts."""
        return type(self), (self.name, self.problem)


class TransmissionRefused(RadioError):
    """A burst that may not leave an antenna; the message holds the numbers."""

    exit_code = 8

    def __init__(self, reason: str) -> None:
        super().__init__(f"transmission refused: {reason}")

"""Exit codes are those of the contract's table."""

import pickle

import pytest

from sdr.errors import ConfigError, DeviceLost, DeviceNotFound, RadioError, RecordingError, UsageError


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (RadioError, 1),
        (UsageError, 2),
        (ConfigError, 3),
        (DeviceNotFound, 4),
        (DeviceLost, 5),
        (RecordingError, 6),
    ],
)
def test_exit_codes(error: type[RadioError], exit_code: int) -> None:
    assert error.exit_code == exit_code
    assert issubclass(error, RadioError)


def test_recording_error_names_the_file() -> None:
    error = RecordingError("street.cu8", "is a folder")
    assert str(error) == "street.cu8: is a folder"
    assert str(RecordingError("-", "is empty")) == "standard input: is empty"


def test_recording_error_survives_a_process_border() -> None:
    error = pickle.loads(pickle.dumps(RecordingError("a.wav", "is broken")))
    assert (error.name, error.problem) == ("a.wav", "is broken")

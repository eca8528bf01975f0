"""What can go wrong, and the exit code each mistake ends in."""


class KhabarError(Exception):
    """An error a user can act on; its message says what was asked, what exists and what to do."""

    exit_code = 1


class GateError(KhabarError):
    """A check failed: parity of an export, a probe, a comparison."""


class ConfigError(KhabarError):
    """The configuration asks for something that does not exist or does not fit."""

    exit_code = 2


class DataError(KhabarError):
    """The data can't be read, or breaks a rule it must keep."""

    exit_code = 3

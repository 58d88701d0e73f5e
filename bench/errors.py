"""Every error that `bench` raises on purpose.

    BenchError                  a person can act on it: one line, an exit code
    ├── UsageError          2   unknown name, bad file, bad value
    │   ├── SuiteError      2   a suite file that cannot be used
    │   ├── ClipError       2   audio that cannot be read, or is empty
    │   └── RecordError     2   a record that cannot be read, or has another schema version
    ├── MachineError        3   this machine cannot do it
    │   ├── DeviceError     3   no such GPU here
    │   │   └── FullCardError  3   it is here, but not even a CUDA context fits
    │   ├── WeightsError    3   the weights are not available, or differ from what the Hub states
    │   ├── PackageError    3   a needed package is missing, too old or broken
    │   ├── IdentityError   3   the key that signs cannot be used
    │   ├── SiteError       3   a site or the Hub cannot be reached, or takes no submission
    │   ├── FetchError      3   a public URL cannot be fetched
    │   └── StorageError    3   the disk refused a write
    └── GateError           1   a stated expectation was not met

Out of memory, a crash of the worker and a timeout are results, not errors: see `records.schema`.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    GATE = 1
    USAGE = 2
    MACHINE = 3
    CELLS_FAILED = 4
    BUG = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class BenchError(Exception):
    """Root of the tree. The message says what is wrong; `hint` says what to do about it."""

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """One line: what is wrong, then what to do."""
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(BenchError):
    """The command line or a file that it names is wrong."""

    exit_code = ExitCode.USAGE


class SuiteError(UsageError):
    """A suite file that cannot be used."""


class ClipError(UsageError):
    """Audio that cannot be read, or is empty."""


class RecordError(UsageError):
    """A record that cannot be read."""


class MachineError(BenchError):
    """This machine cannot do the requested work."""

    exit_code = ExitCode.MACHINE


class DeviceError(MachineError):
    """The requested device is not in this machine."""


class FullCardError(DeviceError):
    """Other programs have filled the graphics card: no work can start on it."""


class WeightsError(MachineError):
    """The weights are not available, or differ from what the Hub states."""


class PackageError(MachineError):
    """A needed package is missing, too old or broken. `commands` fix it, in this order."""

    def __init__(self, message: str, *, hint: str | None = None, commands: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.commands = commands

    def __str__(self) -> str:
        """One line: what is wrong, what to do, then the commands."""
        return ": ".join(filter(None, [super().__str__(), "; then: ".join(self.commands)]))


class IdentityError(MachineError):
    """The key that signs submissions cannot be used."""


class SiteError(MachineError):
    """A site or the Hub cannot be reached, or does not take the submission."""


class FetchError(MachineError):
    """A public URL cannot be fetched."""


class StorageError(MachineError):
    """The disk refused a write. After `step` the same write can succeed."""

    def __init__(self, message: str, *, hint: str | None = None, step: str = "Free space") -> None:
        super().__init__(message, hint=hint)
        self.step = step


class GateError(BenchError):
    """A stated expectation was not met."""

    exit_code = ExitCode.GATE

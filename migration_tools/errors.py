"""Everything that stops a copy or a verification, with the exit code it ends in."""

from migration_tools.report import CopyReport

DATA_DISAGREES = 1
COULD_NOT_RUN = 2


class MigrationError(Exception):
    """The run stopped; the message says what was met, where, and how to mend it."""

    exit_code = COULD_NOT_RUN


class AddressError(MigrationError):
    """A database address cannot be read."""


class UnreachableError(MigrationError):
    """A server does not answer, or does not let us in."""


class SchemaDriftError(MigrationError):
    """A schema is not the one that the mapping was written for."""


class TargetNotEmptyError(MigrationError):
    """The target already holds rows, and nobody allowed them to be replaced."""


class TargetInUseError(MigrationError):
    """The target holds rows of its own that belong to rows that would be replaced."""


class DatabaseError(MigrationError):
    """A database refused a statement or went away in the middle."""


class CopyRefusedError(MigrationError):
    """The data itself is the reason: nothing was committed, and the report says why."""

    exit_code = DATA_DISAGREES

    def __init__(self, message: str, report: CopyReport) -> None:
        super().__init__(message)
        self.report = report


class TooManyRejectedError(CopyRefusedError):
    """More rows were rejected than the run was allowed to leave behind."""


class VerificationError(CopyRefusedError):
    """The loaded rows are not those of the source."""

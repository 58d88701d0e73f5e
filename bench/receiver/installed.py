"""What the receiver needs beside bench: the extra `serve`."""

from typing import Final

from bench.errors import PackageError
from bench.packages import extra_command, faults_of

_PACKAGES: Final = ("sqlalchemy", "alembic", "psycopg")


def require_database() -> None:
    """Check that what opens a database is installed.

    Raises:
        PackageError: it is not.
    """
    faults = faults_of(_PACKAGES)
    if faults:
        raise PackageError(
            "; ".join(map(str, faults)), hint="Install the extra", commands=(extra_command("serve"),)
        )

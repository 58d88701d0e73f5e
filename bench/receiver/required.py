"""The packages of the extra `serve`."""

from typing import Final

from bench.errors import PackageError
from bench.packages import extra_command, faults_of

_NEEDED: Final = (
    "alembic",
    "fastapi",
    "h11",
    "prometheus-client",
    "psycopg",
    "pyarrow",
    "sqlalchemy",
    "uvicorn",
)


def require_server() -> None:
    """Check that the packages of a receiver are installed. Looking for them imports nothing.

    Raises:
        PackageError: a package is missing.
    """
    faults = faults_of(_NEEDED)
    if faults:
        raise PackageError(
            "; ".join(map(str, faults)), hint="Install the extra", commands=(extra_command("serve"),)
        )

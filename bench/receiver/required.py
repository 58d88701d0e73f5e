"""The packages of the extra `serve`."""

from importlib import import_module
from typing import Final

from bench.errors import PackageError
from bench.packages import extra_command

_NEEDED: Final = (
    "alembic",
    "fastapi",
    "h11",
    "prometheus_client",
    "psycopg",
    "pyarrow.parquet",
    "sqlalchemy",
    "uvicorn",
)


def require_server() -> None:
    """Check that what serves is installed.

    Raises:
        PackageError: a package is missing.
    """
    for name in _NEEDED:
        try:
            import_module(name)
        except ImportError as error:
            raise PackageError(
                f"{name.partition('.')[0]} is not installed, which the receiver needs",
                hint="Install the extra",
                commands=(extra_command("serve"),),
            ) from error

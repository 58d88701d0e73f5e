"""`bench submit --confirm URL`: the file that confirms the key of this user as that of an account."""

from pathlib import Path
from typing import Final

from bench.cli.streams import echo
from bench.errors import ExitCode, UsageError
from bench.submit.destination import site_of

_HINT: Final = "bench submit --confirm URL --to https://HOST"


def write_confirmation(url: str, destination: str | None, out: Path | None) -> int:
    """Write the file named as in its URL, and print where it belongs. Nothing is sent.

    Raises:
        UsageError: no site is named, no account belongs to the URL, or another file has this name.
        IdentityError: the key cannot be used.
        StorageError: the disk refused the file.
    """
    from bench.cli.submit_output import confirmation_lines
    from bench.identity.accounts import account_of
    from bench.identity.confirmation import sign_confirmation, site_address
    from bench.identity.keys import open_key
    from bench.store.record_files import write_atomically

    if destination is None:
        raise UsageError("--confirm needs the site for which the key is confirmed", hint=_HINT)
    account, address = account_of(url), site_address(site_of(destination).url)
    path = (out or Path()) / account.url.rpartition("/")[2]
    key = open_key()
    content = sign_confirmation(account.url, address, key)
    _require_free(path, content)
    write_atomically(path, content)
    for line in confirmation_lines(account, address, key, path):
        echo(line)
    return ExitCode.DONE


def _require_free(path: Path, content: bytes) -> None:
    from bench.store.untrusted import kind_of, read_file

    if kind_of(path) is None:
        return
    try:
        if read_file(path, len(content)) == content:
            return
    except OSError:
        pass
    raise UsageError(f"{path}: is there already", hint="Name another folder with --out")

"""A self-signed certificate, made when a test needs one."""

import shutil
import subprocess
from pathlib import Path

import pytest


def self_signed(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Make a certificate for a host, and its key; skip the test where openssl is missing."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    made = folder / "certificate.pem", folder / "key.pem"
    options = (
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
        f" -addext subjectAltName=DNS:{name} -out certificate.pem -keyout key.pem"
    )
    subprocess.run([openssl, *options.split()], cwd=folder, check=True, capture_output=True)
    return made

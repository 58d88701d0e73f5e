"""Why a site cannot be reached, each in one line with the next step. Texts of the library are not quoted."""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx2

from bench.errors import SiteError, WeightsError
from bench.submit.destination import Site
from bench.weights import hub_settings

AGAIN: Final = "Run the same command again: it sends the same bundle"
OTHERWISE: Final = "use --offline"
_PROXY_STATUS: Final = re.compile(r"\b([345]\d\d)\b")


def settings_fault(site: Site, *, socks_package: str | None) -> SiteError | None:
    """Return the fault in the settings of proxies and certificates; None without one."""
    proxies = None if site.is_own else hub_settings.proxy_fault(socks_package=socks_package)
    fault = proxies or hub_settings.certificate_fault(hub_settings.CERTIFICATES)
    return None if fault is None else _as_site_error(fault)


def no_certificates() -> SiteError:
    """Return the error of a file of certificates that cannot be loaded."""
    name = hub_settings.set_certificates(hub_settings.CERTIFICATES) or hub_settings.CERTIFICATES[0]
    return SiteError(
        f"{name} names a file without certificates", hint=f"Set it to a PEM file, or unset {name}"
    )


def lasting_fault(error: httpx2.RequestError, site: Site, *, otherwise: str = OTHERWISE) -> SiteError | None:
    """Return the error where another try would end alike; None where it may not.

    `otherwise`: what a person can do whom a proxy refuses.
    """
    chain = tuple(_chain(error))
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        return SiteError(
            f"the certificate of {site.host} is not trusted",
            hint="Check the address; where your network makes certificates of its own, set SSL_CERT_FILE to "
            "that of its authority",
        )
    # A cut connection is an SSLEOFError.
    if any(isinstance(each, ssl.SSLError) and not isinstance(each, ssl.SSLEOFError) for each in chain):
        return SiteError(
            f"the connection to {site.host} could not be encrypted",
            hint="Check the address, its port, and any proxy",
        )
    if isinstance(error, httpx2.ProxyError) and (status := _PROXY_STATUS.search(str(error))) is not None:
        return _of_proxy(site, status[1], otherwise)
    if any(isinstance(each, socket.gaierror) for each in chain):
        proxies = "" if site.is_own else hub_settings.proxy_variables()
        return SiteError(
            f"the name {site.host}{' or that of the proxy' if proxies else ''} is not known here",
            hint=f"Check the address, the connection{f' and {proxies}' if proxies else ''}",
        )
    return None


def passing_fault(error: httpx2.RequestError, site: Site, *, again: str = AGAIN) -> SiteError:
    """Return the error of a connection that another try may make. `again`: how to try."""
    if isinstance(error, httpx2.TimeoutException):
        return no_answer(site, again=again)
    chain = _chain(error)
    is_refused = any(isinstance(each, ConnectionRefusedError) for each in chain)
    how = "refuses the connection" if is_refused else "broke the connection"
    return SiteError(f"{site.url} {how}", hint=again)


def no_answer(site: Site, *, again: str = AGAIN) -> SiteError:
    """Return the error of a site that takes too long."""
    return SiteError(f"{site.url} does not answer in time", hint=again)


def _of_proxy(site: Site, status: str, otherwise: str) -> SiteError:
    """Return the error of a proxy that answers for itself."""
    if status == "407":
        return _as_site_error(hub_settings.proxy_password_fault())
    names = hub_settings.proxy_variables()
    return SiteError(
        f"the proxy in {names} does not connect to {site.host} (HTTP {status})",
        hint=f"Ask its administrator to allow {site.host}, or {otherwise}",
    )


def _as_site_error(fault: WeightsError) -> SiteError:
    return SiteError(fault.message, hint=fault.hint)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that caused it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__

"""Calls to addresses that somebody outside named: of push services (agents/push), of webhooks (dispatch/webhooks).

Two locks: what the address says (https, no address within), and who answers: names can be pointed anywhere, and elsewhere a
moment later, so a name is looked up once, all that it led to has to be public, and the connection goes to that address. No
redirect is followed, no proxy of the environment is used, an answer is read up to a bound and not for ever.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

INNER = (".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".intranet", ".home.arpa")
NAT64 = IPv6Network("64:ff9b::/96")


class Inside(Exception):
    """The name led to an address that is not on the public internet. Nothing was sent."""


class BadAddress(Exception):
    """An address that we would never call. The text says why, for logs."""


def address_check(url: str, *, longest: int, anywhere: bool = False, any_port: bool = False) -> None:
    """Raises BadAddress when this cannot be the https address of a public server. Asks no name server.

    `anywhere` lets plain http and inner names through, `any_port` other ports than 443.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadAddress("cannot be read") from None
    if len(url) > longest or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise BadAddress("too long, or has signs that no address has")
    if not host or "@" in parts.netloc:
        raise BadAddress("has no name, or a password")
    if parts.scheme not in (("https", "http") if anywhere else ("https",)):
        raise BadAddress("not https")
    if anywhere:
        return
    if port not in (None, 443) and not any_port:
        raise BadAddress("another port than 443")
    # 127.1 and 0x7f000001 are names for some and addresses for others.
    if ":" in host or "." not in host or host.endswith(INNER) or host.rsplit(".", 1)[1][:1].isdigit():
        raise BadAddress("an address instead of a name, or an inner name")


def is_public(text: str) -> bool:
    """Whether packets to this address leave for the public internet, by whatever way an IPv4 address is written in IPv6."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner: IPv4Address | None = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public(str(inner))
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def public_address(host: str, port: int) -> str:
    """The first address of a name. Raises Inside unless all of them are public: of several, anybody could pick another."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(is_public(one) for one in found):
        raise Inside("a name led to an inner address")
    return found[0]


class _Session(requests.Session):
    """`cut` ends what is under way, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.opened: list[Any] = []

    def request(self, *args: Any, **more: Any) -> requests.Response:
        return super().request(*args, **more | {"allow_redirects": False})

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  of requests
        """None has one: requests would read the whole body of an answer that redirects, to be ready for the next call."""
        return

    def cut(self) -> None:
        for connection in self.opened:
            if connection.sock is not None:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)


def session(*, anywhere: bool = False) -> _Session:
    """HTTP that reaches servers on the public internet by https, and nothing else; with `anywhere` all that there is."""
    made = _Session()
    made.adapters.clear()
    made.mount("https://", _adapter(made, anywhere=anywhere))
    if anywhere:
        made.mount("http://", made.adapters["https://"])
    return made


def _adapter(owner: _Session, *, anywhere: bool) -> HTTPAdapter:
    """Connections that are looked at before they open, and known to the session."""

    class Looked:
        _dns_host: str
        port: int

        def _new_conn(self) -> Any:
            owner.opened.append(self)
            if anywhere:
                return super()._new_conn()  # type: ignore[misc]
            name = self._dns_host
            self._dns_host = public_address(name, self.port)
            try:
                connection = super()._new_conn()  # type: ignore[misc]
            finally:
                self._dns_host = name  # what the certificate has to say
            if not is_public(connection.getpeername()[0]):
                connection.close()
                raise Inside("an inner address answered")
            return connection

    class Plain(Looked, HTTPConnection):
        pass

    class Sealed(Looked, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SealedPool(HTTPSConnectionPool):
        ConnectionCls = Sealed

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **more: Any) -> None:
            super().init_poolmanager(*args, **more)
            self.poolmanager.pool_classes_by_scheme = {"https": SealedPool, "http": PlainPool}

    return Adapter()


@contextmanager
def at_most(http: _Session, seconds: float) -> Iterator[None]:
    """End what `http` does after so long in all: time-outs of sockets count from byte to byte, which a server can draw out."""
    timer = threading.Timer(seconds, http.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

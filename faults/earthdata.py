"""The road of a GUNW product on loopback: catalogue, host of files, login and storage, each an origin of its own.

As the real ones do: the host of files sends whoever has no session to the login, the login sends back with a code, the host gives a
session in a cookie, and then leads to a storage by an address with a signature.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from faults.answers import LOOPBACK
from faults.server import FaultServer, Script
from terrashot.remote.earthdata import Credentials

USER, PASSWORD, TOKEN = "somebody", "aVerySecretPassword", "aVerySecretBearer"
SESSION, CODE, SIGNATURE = "aVerySecretSession", "aVerySecretCode", "aSignature"
SECRETS = (PASSWORD, TOKEN, SESSION, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
Say = Callable[[int, Mapping[str, str], bytes], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came, and to whom."""

    host: str
    path: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return f"{self.path} {dict(self.headers)}"


@dataclass
class Earthdata:
    """All four; to be used in a `with`."""

    products: Mapping[str, bytes]
    """By name, without `.nc`."""
    entries: list[dict[str, Any]] = field(default_factory=list)
    """What the catalogue lists; `entry` makes one. Its addresses are those of `url_of`."""
    script: Script = lambda number: ""
    """Faults of the storage."""
    page_items: int = 250
    seen: list[Seen] = field(default_factory=list)
    licence_accepted: bool = True

    def __post_init__(self) -> None:
        self.storage = FaultServer(
            {f"/{name}.nc": content for name, content in self.products.items()}, self.script, good_signature=SIGNATURE
        )
        self._http = {name: _http(self, name) for name in ("catalogue", "files", "login")}

    def __enter__(self) -> "Earthdata":
        self.storage.__enter__()
        for http in self._http.values():
            threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.storage.__exit__()
        for http in self._http.values():
            http.shutdown()
            http.server_close()

    def host(self, name: str) -> str:
        """Of `catalogue`, `files` or `login`, with its port."""
        return f"{LOOPBACK}:{self._http[name].server_address[1]}"

    @property
    def hosts(self) -> frozenset[str]:
        """All that may be asked."""
        return frozenset({*(self.host(name) for name in self._http), f"{LOOPBACK}:{self.storage.port}"})

    @property
    def search_url(self) -> str:
        return f"http://{self.host('catalogue')}/search/granules.umm_json"

    def url_of(self, name: str) -> str:
        """Where a product is to be had, as the catalogue says."""
        return f"http://{self.host('files')}/ARIA/ARIA_S1_GUNW/{name}/{name}.nc"

    def credentials(self, kind: str) -> Credentials:
        """Of `token`, `password`, `wrong` or `none`."""
        login, files = self.host("login"), (self.host("files"),)
        if kind == "token":
            return Credentials(token=TOKEN, login_host=login, file_hosts=files)
        user = {"password": (USER, PASSWORD), "wrong": (USER, "wrong")}.get(kind, (None, None))
        return Credentials(user=user[0], password=user[1], login_host=login, file_hosts=files)

    def asked(self, host: str) -> list[Seen]:
        """Requests to one of the hosts."""
        return [seen for seen in self.seen if seen.host == host]

    def answer(self, seen: Seen, say: Say) -> None:
        """Answers one request."""
        self.seen.append(seen)
        parts = urlsplit(seen.path)
        {"catalogue": self._page, "files": self._file, "login": self._login}[seen.host](
            seen, parts.path, parse_qs(parts.query), say
        )

    def _page(self, seen: Seen, path: str, query: dict[str, list[str]], say: Say) -> None:
        if path != "/search/granules.umm_json" or query.get("shortName") != ["ARIA_S1_GUNW"]:
            return say(400, {}, b'{"errors": ["no such query"]}')
        start = (int(query["page_num"][0]) - 1) * self.page_items
        page = {"hits": len(self.entries), "took": 1, "items": self.entries[start : start + self.page_items]}
        return say(200, {"Content-Type": "application/vnd.nasa.cmr.umm_results+json"}, json.dumps(page).encode())

    def _file(self, seen: Seen, path: str, query: dict[str, list[str]], say: Say) -> None:
        if path == "/login" and query.get("code") == [CODE]:
            cookie = f"asf-urs={SESSION}; Domain={LOOPBACK}; Path=/; Secure; HttpOnly"
            return say(302, {"Location": query["state"][0], "Set-Cookie": cookie}, b"")
        is_in = (
            f"asf-urs={SESSION}" in seen.headers.get("Cookie", "")
            or seen.headers.get("Authorization") == f"Bearer {TOKEN}"
        )
        if not is_in:
            back = {"redirect_uri": f"http://{self.host('files')}/login", "state": path}
            asked = urlencode({"client_id": "c", "response_type": "code", **back})
            return say(302, {"Location": f"http://{self.host('login')}/oauth/authorize?{asked}"}, b"")
        if not self.licence_accepted:
            return say(403, {"Content-Type": "text/html"}, b"<html>accept the licence</html>")
        name = path.rpartition("/")[2]
        return say(303, {"Location": f"http://{LOOPBACK}:{self.storage.port}/{name}?sig={SIGNATURE}"}, b"")

    def _login(self, seen: Seen, path: str, query: dict[str, list[str]], say: Say) -> None:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        given = seen.headers.get("Authorization")
        if given is None:
            return say(401, {"WWW-Authenticate": "Basic"}, b"HTTP Basic: Access denied.")
        if given not in (f"Basic {basic}", f"Bearer {TOKEN}"):
            return say(401, {}, b"")
        back = urlencode({"code": CODE, "state": query["state"][0]})
        return say(302, {"Location": f"{query['redirect_uri'][0]}?{back}"}, b"")


def entry(
    name: str, href: str, box: tuple[float, float, float, float], n_bytes: int, md5: str | None = None
) -> dict[str, Any]:
    """What the catalogue says of a product, in its unified form."""
    west, south, east, north = box
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    points = [{"Longitude": lon, "Latitude": lat} for lon, lat in ring]
    file: dict[str, Any] = {"Name": f"{name}.nc", "Format": "netCDF-4", "SizeInBytes": n_bytes}
    if md5:
        file["Checksum"] = {"Value": md5, "Algorithm": "MD5"}
    umm = {
        "GranuleUR": name,
        "CollectionReference": {"ShortName": "ARIA_S1_GUNW", "Version": "1"},
        "SpatialExtent": {"HorizontalSpatialDomain": {"Geometry": {"GPolygons": [{"Boundary": {"Points": points}}]}}},
        "RelatedUrls": [
            {"URL": f"s3://asf-cumulus-prod-aria-products/{name}/{name}.nc", "Type": "GET DATA VIA DIRECT ACCESS"},
            {"URL": href.replace(".nc", ".png"), "Type": "GET RELATED VISUALIZATION"},
            {"URL": href, "Type": "GET DATA"},
        ],
        "DataGranule": {"ArchiveAndDistributionInformation": [file]},
    }
    return {"meta": {"concept-id": "G1-ASF", "provider-id": "ASF"}, "umm": umm}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that leaves in the middle is no fault of ours."""


def _http(served: Earthdata, name: str) -> _Server:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            served.answer(Seen(name, self.path, dict(self.headers.items())), self.say)

        def say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    return _Server((LOOPBACK, 0), Handler)

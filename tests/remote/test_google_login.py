"""Google's own library finds the login and makes tokens of it; every byte of that goes through the client of ours."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from terrashot.errors import NetworkError, UsageError
from terrashot.remote import google_login
from terrashot.remote.google_login import TOKEN_VARIABLE, Credentials, GoogleLogin, OwnTransport

pytest.importorskip("ee", reason="earthengine-api is not installed (extra earthengine)")
from google.oauth2.credentials import Credentials as UserCredentials

LOOPBACK = frozenset({"127.0.0.1"})
REFRESH, SECRET = "1//refresh-token", "client-secret"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append(asked)
        good = asked.get("refresh_token") == [REFRESH]
        number = len(self.server.asked)
        told = (
            {"access_token": f"token-{number}", "expires_in": 3600}
            if good
            else {"error": "invalid_grant", "error_description": "revoked"}
        )
        content = json.dumps(told).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def token_service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()


def credentials(url, refresh=REFRESH, hosts=LOOPBACK):
    held = UserCredentials(None, refresh_token=refresh, client_id="id", client_secret=SECRET, token_uri=url)
    return Credentials(held, hosts)


def test_one_token_serves_until_it_is_renewed():
    with token_service() as (server, url):
        own = credentials(url)
        assert [own.token(), own.token()] == ["token-1", "token-1"]
        own.renew()
        assert own.token() == "token-2" and len(server.asked) == 2
        assert SECRET not in repr(own) and REFRESH not in repr(own)


def test_a_login_that_was_withdrawn_says_to_log_in_and_shows_no_secret():
    with token_service() as (_, url), pytest.raises(UsageError, match="earthengine authenticate") as error:
        credentials(url, refresh="1//withdrawn").token()
    assert "withdrawn" not in str(error.value)


def test_the_rules_of_addresses_hold_for_the_login_too():
    with token_service() as (server, url):
        with pytest.raises(NetworkError, match="not asked"):
            credentials(url, hosts=frozenset()).token()
        assert server.asked == []
        with pytest.raises(NetworkError, match="DELETE"):
            OwnTransport(LOOPBACK)(url, method="DELETE", body=b"")


def test_what_their_command_left_is_found(tmp_path, monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config" / "earthengine").mkdir(parents=True)
    (tmp_path / ".config" / "earthengine" / "credentials").write_text(json.dumps({"refresh_token": REFRESH}))
    google_login._credentials.cache_clear()
    found = google_login._credentials(1, frozenset())
    assert found.held.refresh_token == REFRESH and "oauth2.googleapis.com" in found.held.token_uri
    google_login._credentials.cache_clear()


def test_nobody_logged_in_is_a_matter_of_usage(tmp_path, monkeypatch):
    for name in (TOKEN_VARIABLE, "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    google_login._credentials.cache_clear()
    with pytest.raises(UsageError, match="nobody is logged in to Google; log in with: earthengine authenticate"):
        GoogleLogin().token()
    google_login._credentials.cache_clear()

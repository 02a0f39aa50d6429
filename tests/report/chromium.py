"""A real browser without a screen, driven over its debugging pipe (Chrome DevTools Protocol, messages end with a zero byte)."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE_S = 60.0
FLAGS = (
    "--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
KEYS = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
}


def find_chromium():
    """Path of a Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Tab:
    """One page of the browser, and what it complained about."""

    process: subprocess.Popen
    reads: int
    writes: int
    session: str = ""
    events: list = field(default_factory=list)
    received: bytes = b""
    last: int = 0

    def call(self, method, **params):
        """The answer to a command; events that come before it are kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params} | (
            {"sessionId": self.session} if self.session else {}
        )
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.last:
            self.events.append(answer)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def wait_for(self, method):
        """Returns once this event has come."""
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._next())

    def open(self, url, *, width, height=800):
        """The page at a width in CSS pixels, loaded; complaints are counted from here."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def value(self, expression):
        """What JavaScript answers."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key):
        """One key, down and up."""
        self.call("Input.dispatchKeyEvent", type="keyDown", **KEYS[key])
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in KEYS[key].items() if k != "text"})

    def complaints(self):
        """Errors of scripts, of the console and of the log (blocked content, failed requests)."""
        self.value("0")
        return [
            event["params"] for event in self.events
            if event["method"] == "Runtime.exceptionThrown"
            or (event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "warning", "assert"))
            or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"))
        ]  # fmt: skip

    def requests(self):
        """What the page asked for, besides pictures that it holds."""
        sent = [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in sent if not url.startswith("data:")]

    def _next(self):
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.reads], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self.reads, 1 << 20) if ready else b""
            assert part, "the browser ended or no longer answers"
            self.received += part
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)


def start(program, profile):
    """A tab of a new browser whose files lie in `profile`; end it with `stop`."""
    to_read, to_write = os.pipe(), os.pipe()
    # The browser reads file 3 and writes file 4; ours must be none of the two while they are put in place.
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read[0], to_write[1])]
    root = ("--no-sandbox",) if os.getuid() == 0 else ()

    def put_in_place():
        os.dup2(theirs[0], 3)
        os.dup2(theirs[1], 4)

    process = subprocess.Popen(
        [program, *FLAGS, *root, f"--user-data-dir={profile}", "about:blank"], preexec_fn=put_in_place, pass_fds=(3, 4),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for end in (*theirs, to_read[0], to_write[1]):
        os.close(end)
    tab = Tab(process, to_write[0], to_read[1])
    target = tab.call("Target.createTarget", url="about:blank")["targetId"]
    tab.session = tab.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        tab.call(f"{domain}.enable")
    return tab


def stop(tab):
    """The browser has ended."""
    tab.session = ""
    tab.call("Browser.close")
    tab.process.wait(PATIENCE_S)
    for end in (tab.reads, tab.writes):
        os.close(end)

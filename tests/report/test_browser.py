"""The page in a real browser: no complaint, no sideways scrolling on a phone, all of it by keyboard."""

import pytest
from tests.report.chromium import find_chromium, start, stop
from tests.report.simulated_report import content

from terrashot.report.figures import write_figures
from terrashot.report.page import write_report

PHONE, DESK = 360, 1200
FOCUSED = """(() => { const e = document.activeElement;
  return e === document.body ? 'body' : [e.tagName.toLowerCase(), e.className, e.getAttribute('href') || e.getAttribute('aria-label') || e.textContent].join('|'); })()"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    shown = content(areas=("north", "south"), title="a long title of a study " * 3 + "w" * 60)
    write_report(shown, write_figures(shown, folder / "figures"), folder / "report.html")
    return f"file://{folder / 'report.html'}"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    tab = start(program, tmp_path_factory.mktemp("profile"))
    yield tab
    stop(tab)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_opens_without_a_complaint_and_asks_for_nothing_else(tab, url, width):
    tab.open(url, width=width)
    assert tab.complaints() == []
    assert tab.requests() == [url]
    assert tab.value("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_only_boxes_scroll_sideways_never_the_page_folded_or_open(tab, url, width):
    tab.open(url, width=width)
    for _ in range(2):
        assert tab.value("document.documentElement.scrollWidth") <= tab.value("window.innerWidth") == width
        tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    wider = tab.value("[...document.querySelectorAll('.scroll')].filter(b => b.scrollWidth > b.clientWidth).length")
    assert width == DESK or wider > 5


def test_text_on_a_phone_is_not_small(tab, url):
    tab.open(url, width=PHONE)
    smallest = "Math.min(...[...document.querySelectorAll('p,li,td,th,a,summary,figcaption')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
    assert tab.value(smallest) >= 14


def test_the_tab_key_reaches_the_skip_link_the_sections_every_box_and_every_fold(tab, url):
    tab.open(url, width=DESK)
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    reached = focused_by_tab(tab)
    kinds = [name.split("|")[0] for name in reached]
    assert reached[0] == "a|skip|#results"
    assert reached[1 : 1 + kinds.count("a") - 1] == [
        f"a||{href}" for href in tab.value("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))")
    ]
    assert kinds.count("summary") == tab.value("document.querySelectorAll('summary').length") > 3
    assert kinds.count("div") == tab.value("document.querySelectorAll('.scroll').length") > 5
    assert all(name.split("|")[2] for name in reached)


def test_what_has_the_focus_is_framed(tab, url):
    tab.open(url, width=DESK)
    tab.press("Tab")
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
    assert tab.value("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_enter_opens_a_fold_and_follows_the_skip_link(tab, url):
    tab.open(url, width=DESK)
    tab.press("Tab")
    tab.press("Enter")
    assert tab.value("location.hash") == "#results"
    assert tab.value("document.activeElement.tagName") == "MAIN"
    while not tab.value(FOCUSED).startswith("summary"):
        tab.press("Tab")
    tab.press("Enter")
    assert tab.value("document.activeElement.parentElement.open") is True


def test_a_script_that_fails_and_a_picture_from_elsewhere_would_be_seen(tab, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(
        '<script>nothing.here()</script><img src="https://example.invalid/a.png"><div style="width:900px">wide</div>'
    )
    tab.open(f"file://{path}", width=PHONE)
    assert tab.complaints() and len(tab.requests()) == 2
    assert tab.value("document.documentElement.scrollWidth") > PHONE


def focused_by_tab(tab):
    names = []
    while (name := press_and_name(tab)) != "body" and len(names) < 500:
        names.append(name)
    return names


def press_and_name(tab):
    tab.press("Tab")
    return tab.value(FOCUSED)

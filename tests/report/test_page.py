"""The report is one page that asks for nothing, escapes everything, and says what it must."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.report.simulated_report import answers, content, results

from terrashot.domain.answers import Answers
from terrashot.domain.results import dots, summarize
from terrashot.plots.tsne import Layout
from terrashot.report.figures import write_figures
from terrashot.report.page import page
from terrashot.report.result_figures import of_results

HOSTILE = "</td><script>alert(1)</script>\"'&"
TWO = ("north", "south")


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tags_of(text):
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return parser.tags


def section(text, key):
    return text.partition(f'<section id="{key}">')[2].partition("</section>")[0]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    shown = content(areas=TWO)
    folder = tmp_path_factory.mktemp("figures")
    figures = write_figures(shown, folder)
    return figures, page(shown, figures), folder


def test_the_page_is_well_formed_and_holds_every_figure_with_words_for_those_who_cannot_see(drawn):
    figures, text, folder = drawn
    images = [attrs for tag, attrs in tags_of(text) if tag == "img"]
    assert len(images) == len(figures) == 12
    assert all(len(attrs["alt"]) > 60 for attrs in images)
    assert {path.name for path in folder.iterdir()} == {f"{f.name}.{kind}" for f in figures for kind in ("png", "svg")}
    assert "script" not in [tag for tag, _ in tags_of(text)]


def test_every_link_of_the_page_leads_somewhere_in_it(drawn):
    tags = tags_of(drawn[1])
    ids = {attrs["id"] for _, attrs in tags if "id" in attrs}
    links = [attrs["href"] for tag, attrs in tags if tag == "a"]
    assert links[0] == "#results" and {link.removeprefix("#") for link in links} == ids


def test_the_first_heads_curves_are_open_and_the_others_folded(drawn):
    shown = section(drawn[1], "curves")
    assert (
        shown.index("figures/curves-forest.png") < shown.index("<details>") < shown.index("figures/curves-logistic.png")
    )


def test_many_areas_go_on_in_further_figures():
    recipes = {recipe.name: recipe for recipe in of_results(content(areas=("a", "b", "c", "d", "e")))}
    assert {"curves-forest", "curves-forest-2", "curves-logistic-2", "leakage", "leakage-2"} <= set(recipes)
    assert "curves-forest-3" not in recipes and recipes["curves-forest-2"].title.endswith("forest, part 2")
    assert not recipes["curves-forest-2"].is_folded and recipes["curves-logistic-2"].is_folded


def test_it_begins_with_how_many_labels_are_enough(drawn):
    shown = section(drawn[1], "answer")
    assert shown.startswith('<h2>In short</h2><ul class="found"><li>water in north: 240 labels (150 to 400)')


def test_a_verdict_bears_its_gain_interval_and_certainty(drawn):
    shown = section(drawn[1], "answer")
    assert 'class="good">beats every floor' in shown and "&gt; 99 %" in shown
    assert "beats every floor (simple feature set) in 2 of 2 cases, loses to one in 0" in shown


def test_a_loss_to_a_floor_is_said_plainly():
    base = content()
    (verdict,) = base.answers.verdicts
    text = page(
        replace(base, answers=Answers(verdicts=(replace(verdict, gain=-0.05, gain_low=-0.07, gain_high=-0.02),))), []
    )
    assert 'class="bad">loses to a floor' in text and "-5.0 (-7.0 to -2.0)" in text and "loses to one in 1" in text


def test_without_floors_or_intervals_nothing_is_claimed():
    base = content(results(features=("modsconcat", "s2rgbm")))
    shown = section(page(base, []), "answer")
    assert "There are no floors to compare with" in shown and ">no floors<" in shown
    (verdict,) = content().answers.verdicts
    unsure = replace(verdict, low=None, high=None, gain_low=None, gain_high=None)
    assert ">cannot be told<" in page(replace(base, answers=Answers(verdicts=(unsure,))), [])


def test_labels_that_are_enough_come_in_four_forms_with_their_intervals(drawn):
    shown = section(drawn[1], "enough")
    assert "240 (150 to 400)" in shown and "240 (150 or more)" in shown
    assert all(
        f">{name}</th>" in shown
        for name in ("95 % of all labels", "where the curve crosses", "95 % of the skill", "95 % of the best")
    )
    assert ">majority</td>" not in shown


def test_claims_are_true_false_or_not_tested(drawn):
    shown = section(drawn[1], "claims")
    for words in ('class="good">true', 'class="bad">false', ">not tested<", "0.120 to 0.480", "in 4 of 13 cells"):
        assert words in shown


def test_leakage_and_transfer_tell_scheme_optimism_and_range(drawn):
    shown = section(drawn[1], "elsewhere")
    for words in (
        ">random chips<",
        ">bands, adjoining<",
        ">this study<",
        ">+6.0<",
        "+4.0 to +8.0",
        ">12.4<",
        ">0.41<",
        "figures/leakage.png",
    ):
        assert words in shown, words
    assert ">north+south<" in section(drawn[1], "transfer") and "figures/transfer-1.png" in section(
        drawn[1], "transfer"
    )


def test_where_nothing_was_measured_the_notes_say_why_in_that_section():
    bare = replace(
        content(), answers=Answers(), notes=["leakage: the chips have neither place nor group", "left out: 3"]
    )
    text = page(bare, [])
    assert "<p>the chips have neither place nor group</p>" in section(text, "elsewhere")
    assert "Not measured in this study." in section(text, "transfer")
    assert "neither place" not in section(text, "answer") and "left out: 3" in section(text, "answer")
    assert 'id="claims"' not in text and 'id="more"' not in text


def test_forecasts_tell_their_interval_and_their_test(drawn):
    shown = section(drawn[1], "more")
    for words in ("900 to 5,200", "900 or more", ">not expected<", "missed later scores by 1.2 points", ">0.031<"):
        assert words in shown


def test_a_regression_is_called_by_its_own_measure():
    shown = content(results(("water", "height"), r2=("height",)))
    text = page(shown, [])
    assert "height (R2)" in section(text, "answer") and "water (accuracy)" in section(text, "answer")
    assert "R2 below -0.5 is cut off" in next(of_results(shown)).caption
    assert "R2" not in next(of_results(content())).caption


def test_a_simulated_study_says_so_in_title_and_banner_and_a_real_one_does_not():
    assert "demo (simulated)" in page(content(), [])
    assert "<strong>Simulated.</strong>" in page(content(), [])
    assert "imulated" not in page(content(simulated=False), []).partition("</style>")[2]


def test_names_from_users_are_shown_as_text(tmp_path):
    rows = [
        replace(row, features=HOSTILE) if row.features == "s2rgbm" else row for row in results((HOSTILE,), (HOSTILE,))
    ]
    values = np.array([("wet", None, HOSTILE)[i % 3] for i in range(40)], dtype=object)
    points = summarize(rows)
    found = answers(points)
    hostile = content(
        rows, areas=(HOSTILE,), values=values, title=HOSTILE, notes=[HOSTILE], facts={HOSTILE: HOSTILE}, dots=dots(points),
        absent=[(HOSTILE, HOSTILE, HOSTILE, 1)], layouts={HOSTILE: Layout(np.zeros((40, 2), np.float32), 40)},
        answers=replace(found, claims=tuple(replace(claim, name=HOSTILE, sentence=HOSTILE) for claim in found.claims),
                        leakage=tuple(replace(leak, features=HOSTILE, scheme=HOSTILE) for leak in found.leakage),
                        transfer=tuple(replace(row, features=HOSTILE) for row in found.transfer)),
    )  # fmt: skip
    figures = write_figures(hostile, tmp_path)
    text = page(hostile, figures)
    tags = tags_of(text)
    assert "script" not in [tag for tag, _ in tags]
    assert HOSTILE not in text and "&lt;script&gt;" in text
    assert not [attrs for _, attrs in tags if {name for name in attrs if name.startswith("on")}]
    assert {path.parent for path in tmp_path.rglob("*")} == {tmp_path}


def test_a_sample_of_the_chips_is_called_one():
    base = content()
    places = np.full((40, 2), np.nan, dtype=np.float32)
    places[:7] = 1
    sampled = replace(base, layouts={"s2rgbm": Layout(places, 40)})
    captions = [recipe.caption for shown in (sampled, base) for recipe in of_results(shown) if recipe.name == "tsne"]
    assert captions[0].endswith("A random sample of 7 of 40 chips.") and "sample" not in captions[1]


@pytest.mark.slow
def test_the_same_content_gives_the_same_bytes(tmp_path):
    pages = []
    for folder in ("a", "b"):
        shown = content(results(heads=("forest",)))
        pages.append(page(shown, write_figures(shown, tmp_path / folder)))
    assert pages[0] == pages[1]
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name

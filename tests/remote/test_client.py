"""A question with a body goes to the one place it was meant for, and its answer is bounded."""

import pytest
from stac_server import RULES, Catalogue, body, serving, status

from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client, Question
from terrashot.remote.persist import PassingError


@pytest.fixture
def catalogue():
    with serving(Catalogue()) as served:
        yield served


def ask(catalogue, **question):
    return Client(RULES).ask(Question(f"{catalogue.url}/search", **question), Budget(Limits()))


def test_a_body_is_posted_as_it_is_under_its_own_type(catalogue):
    with ask(catalogue, headers={"Content-Type": "application/json"}, body=b'{"a": 1}') as answer:
        assert answer.status == 200
    assert catalogue.asked == [("POST", "/search", {"a": 1})]
    assert catalogue.headers[0]["Content-Type"] == "application/json" and catalogue.headers[0]["Content-Length"] == "8"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("question", [{"body": b"{}"}, {"follow": False}], ids=["a body", "as wished"])
def test_a_redirect_is_itself_the_answer_where_none_is_followed(catalogue, code, question):
    catalogue.every = status(code, Location="/elsewhere")
    with ask(catalogue, **question) as answer:
        assert answer.status == code and answer.headers["Location"] == "/elsewhere"
    assert len(catalogue.asked) == 1


def test_a_body_that_ends_before_its_announced_end_is_no_whole_body(catalogue):
    catalogue.every = body(b"1234", Content_Length="5")
    with pytest.raises(PassingError, match="1 bytes too early"), ask(catalogue) as answer:
        answer.take_all(10)


def test_a_body_without_an_announced_end_is_taken_to_its_end(catalogue):
    catalogue.every = body(b"4\r\n1234\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked")
    with ask(catalogue) as answer:
        assert answer.take_all(4) == b"1234"

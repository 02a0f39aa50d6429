"""A step runs when it is missing or stale, and says why."""

import pytest

from terrashot.config import StudyConfig
from terrashot.durable.files import sha256_of
from terrashot.errors import UsageError
from terrashot.steps.plan import LONG_SECONDS, Context, Step, config_digest, decide
from terrashot.store.manifest import Line
from terrashot.store.study import Study, find_study

CONFIG = StudyConfig.model_validate_json('{"areas": {"a": {"bbox": [0, 0, 1, 1]}}}')


def context(tmp_path, config=CONFIG):
    return Context(Study(tmp_path / "study.toml", tmp_path), config, 1)


def step(**changes):
    fields = {
        "name": "labels", "sections": ("labels",), "inputs": lambda context: {"chips.parquet": "1"},
        "outputs": lambda context: [context.study.labels], "work": lambda context: iter(()),
    }  # fmt: skip
    return Step(**{**fields, **changes})


def done(of, at, seconds=1.0, **changes):
    at.study.labels.touch()
    fields = {
        "step": of.name,
        "config": config_digest(of.sections, at.config),
        "inputs": dict(of.inputs(at)),
        "outputs": {"labels.parquet": sha256_of(b"")},
    }
    return Line(**{**fields, "versions": {}, "finished": "now", "seconds": seconds, **changes})


def test_a_step_that_never_ran_runs(tmp_path):
    assert decide(step(), context(tmp_path), None, redo=False).why == "not done yet"


def test_a_finished_step_is_skipped(tmp_path):
    at = context(tmp_path)
    assert not decide(step(), at, done(step(), at), redo=False).runs


def test_a_step_whose_output_is_gone_runs_again(tmp_path):
    at = context(tmp_path)
    line = done(step(), at)
    at.study.labels.unlink()
    assert decide(step(), at, line, redo=False).why == "labels.parquet is missing"


def test_a_changed_setting_makes_only_the_steps_stale_that_read_it(tmp_path):
    at = context(tmp_path)
    changed = CONFIG.model_copy(update={"labels": CONFIG.labels.model_copy(update={"threshold": "median"})})
    later = context(tmp_path, changed)
    assert decide(step(), later, done(step(), at), redo=False).why == "its settings changed ([labels])"
    other = step(sections=("fewshot",))
    assert not decide(other, later, done(other, at), redo=False).runs


def test_a_changed_input_makes_a_step_stale(tmp_path):
    at = context(tmp_path)
    line = done(step(), at, inputs={"chips.parquet": "0"})
    assert decide(step(), at, line, redo=False).why == "chips.parquet changed"


def test_a_step_may_have_reasons_of_its_own(tmp_path):
    at = context(tmp_path)
    own = step(outdated=lambda context: "a chip it was trained on is now in test")
    assert decide(own, at, done(own, at), redo=False).why == "a chip it was trained on is now in test"


def test_a_long_stale_step_waits_for_redo(tmp_path):
    at = context(tmp_path)
    line = done(step(), at, seconds=LONG_SECONDS + 1, inputs={})
    with pytest.raises(UsageError, match="took 30 minutes last time; to run it again add: --redo labels"):
        decide(step(), at, line, redo=False)
    assert decide(step(), at, line, redo=True).runs


def test_a_study_is_a_toml_file_or_a_folder_with_one(tmp_path):
    (tmp_path / "study.toml").touch()
    (tmp_path / "paper.toml").touch()
    assert find_study(tmp_path).folder == tmp_path
    assert find_study(tmp_path / "study.toml").folder == tmp_path
    assert find_study(tmp_path / "paper.toml").folder == tmp_path / "paper"

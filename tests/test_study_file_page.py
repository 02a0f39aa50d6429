"""The documented study file is the one that the code reads."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_of_the_study_file_is_what_the_config_models_say():
    spec = importlib.util.spec_from_file_location("make_study_file", ROOT / "docs" / "make_study_file.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    written = (ROOT / "docs" / "study-file.md").read_text("utf-8")
    assert written == maker.page(), "run: python docs/make_study_file.py"

"""What a study's answers say at the end of a command."""

from dataclasses import asdict
from typing import Any

from terrashot.domain.answers import Answers


def said(answers: Answers) -> tuple[list[str], dict[str, Any]]:
    """Lines for a person, and the same for a program."""
    lines = [*(verdict.sentence for verdict in answers.verdicts), *answers.sentences]
    verdicts = [{**asdict(verdict), "beats_floors": verdict.beats_floors} for verdict in answers.verdicts]
    return lines, {"verdicts": verdicts, "enough": list(answers.sentences)}

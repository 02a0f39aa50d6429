"""What a command answers: sentences for a person, facts for a program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished command's result."""

    lines: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def with_more(self, other: "Answer") -> "Answer":
        """This and then the other."""
        return Answer((*self.lines, *other.lines), {**self.facts, **other.facts})

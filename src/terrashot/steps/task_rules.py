"""How the study file makes tasks of targets."""

from collections.abc import Iterable

from terrashot.config import StudyConfig
from terrashot.domain.tasks import TaskRule


def task_rules(config: StudyConfig) -> dict[str, TaskRule]:
    """By target, of those that the study file says something of."""
    return {target: section.rule(config.labels.threshold) for target, section in config.tasks.items()}


def rules_of(config: StudyConfig, targets: Iterable[str]) -> dict[str, TaskRule]:
    """By target, of all of these: what the study file says of it, else of all."""
    return {target: TaskRule(config.labels.threshold) for target in targets} | task_rules(config)

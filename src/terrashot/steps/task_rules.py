"""How the study file makes tasks of targets."""

from terrashot.config import StudyConfig
from terrashot.domain.tasks import TaskRule


def task_rules(config: StudyConfig) -> dict[str, TaskRule]:
    """By target, of those that the study file says something of."""
    return {target: section.rule(config.labels.threshold) for target, section in config.tasks.items()}

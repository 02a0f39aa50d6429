"""The part of the study file that says what is learnt of each target: classes by a cut, or the number itself."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.domain.tasks import Cut, TaskRule, ThresholdRule
from terrashot.scene_sections import Section


class TaskSection(Section):
    """What is learnt of one target; a target without a section is learnt as [labels] threshold says."""

    learn: Literal["classes", "value"] = "classes"
    """`classes`: a numeric target is cut in two, text is classes by name. `value`: the number itself, as a regression."""
    cut: Literal["nearest", "median", "present"] | Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Where a numeric target is cut: `nearest` to balance or the `median`, chosen on the training chips; `present`: above 0; or a
    number, above which is the second class. Not given: as [labels] threshold."""
    balance: Literal["given", "subsample"] = "given"
    """`subsample`: also a second task, TARGET_balanced, on as many chips of each class in training, validation and test, drawn by
    chance; for targets that most chips do not have."""

    @model_validator(mode="after")
    def _a_value_is_not_cut(self) -> "TaskSection":
        if self.learn == "value" and (self.cut is not None or self.balance != "given"):
            raise ValueError('cut and balance belong to learn = "classes"')
        return self

    def rule(self, threshold: ThresholdRule) -> TaskRule:
        """As the protocol takes it.

        Args:
            threshold: where nothing else is said.
        """
        cut: Cut = threshold if self.cut is None else self.cut
        return TaskRule(cut, self.learn == "value", self.balance == "subsample")

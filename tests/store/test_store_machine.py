"""The chip store beside a dictionary, a few walks; `python -m faults --row store_machine` takes many."""

from faults.rows.store_machine import StoreMachine
from hypothesis import HealthCheck, settings

TestTheStoreHoldsWhatADictionaryHolds = StoreMachine.TestCase
TestTheStoreHoldsWhatADictionaryHolds.settings = settings(
    max_examples=5, stateful_step_count=12, suppress_health_check=list(HealthCheck), derandomize=True
)

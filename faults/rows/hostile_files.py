"""stub"""

from faults.outcome import Row

ROW = Row("hostile_files", "file made to harm", lambda soak, seed: iter(()))

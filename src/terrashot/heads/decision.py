"""Decision values as probabilities, where a head has none of its own.

Least squares and the squared hinge, fitted to targets of -1 and 1, both tend to f = 2 p - 1 (Zhang 2004,
doi:10.1214/aos/1079120130). Cutting (f + 1) / 2 at 0 and 1 would tie all confident rows, and fitting a sigmoid by
cross-validation (Platt 1999) needs labels that few-label draws do not have. So: the softmax of K f / 2, which agrees with
(f + 1) / 2 to first order where all classes are equally likely, keeps the order of the rows and the head's own choice.
"""

import numpy as np
from jaxtyping import Float, Float32
from scipy.special import softmax


def probabilities_of(decision: Float[np.ndarray, "N K"]) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of decision values, a column a class, each fitted to 1 for the class and -1 for the rest."""
    return softmax(decision.astype(np.float64) * (decision.shape[1] / 2), axis=1).astype(np.float32)

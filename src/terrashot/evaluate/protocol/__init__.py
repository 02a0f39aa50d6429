"""The few-label protocol: which chips are labelled, which are judged, and every fit of every head on them."""

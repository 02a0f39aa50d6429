"""From the fits of a study to all that they answer."""

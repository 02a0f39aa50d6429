"""What more labels would give."""

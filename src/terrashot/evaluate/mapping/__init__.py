"""What a map needs beside a head: predictions out of fold, probabilities that mean what they say, distance to training."""

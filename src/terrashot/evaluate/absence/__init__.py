"""What it costs when modalities, channels or months are absent."""

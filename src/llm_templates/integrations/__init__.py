"""Chat templates inside other libraries, and in front of engines."""

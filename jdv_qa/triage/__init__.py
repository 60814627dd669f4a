"""Change requests: reading, judging, suggesting, applying."""

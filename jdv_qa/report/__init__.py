"""Findings and changes as people and machines read them: terminal, JSON and other forms."""

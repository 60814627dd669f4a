"""Checks: the catalogue of rules, the engine that runs them, and one module per family of rules."""

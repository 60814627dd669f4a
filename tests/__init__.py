"""Tests of jdv."""

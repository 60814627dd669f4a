"""jdv: quality assurance and release tool for the JDV CircuitBio value set."""

__version__ = "0.1.0"

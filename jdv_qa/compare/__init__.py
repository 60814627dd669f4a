"""Two editions of the value set into the changes between them: matching of codes, kinds of change, and their impact."""

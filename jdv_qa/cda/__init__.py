"""Laboratory reports as CDA documents: reading their codes and units, and checking them against the value set."""

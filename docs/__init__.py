"""Documents of the project, and what makes their pictures."""

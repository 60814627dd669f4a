"""`python -m jdv_qa` is the command `jdv`."""

from jdv_qa.cli.app import run

if __name__ == "__main__":
    run()

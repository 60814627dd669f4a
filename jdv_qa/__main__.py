"""`python -m jdv_qa` is the command `jdv`."""

import sys

from jdv_qa.checks.schema_process import begin


def run() -> None:
    """Run the command line; what `jdv check` will need of another process is begun before anything else is imported."""
    if "check" in sys.argv[1:] and not {"-h", "--help"} & set(sys.argv):
        begin()
    from jdv_qa.cli.app import run as run_command

    run_command()


if __name__ == "__main__":
    run()

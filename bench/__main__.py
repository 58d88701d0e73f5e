"""`python -m bench` and the command `bench`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from bench.processes import leave_current_folder

    leave_current_folder()

    from bench.cli.streams import secure

    secure()

    from bench.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

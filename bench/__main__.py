"""`python -m bench` and the command `bench`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from bench.processes import leave_current_folder

    leave_current_folder()

    try:
        from bench.cli.streams import secure

        secure()

        from bench.cli.app import run
    except ImportError as error:  # click, without which there is no command line
        from bench.packages import import_fault

        fault = import_fault(error)
        if fault is None:
            raise
        sys.stderr.write(f"bench: {fault}. Fix it: {fault.command}\n")
        sys.exit(3)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

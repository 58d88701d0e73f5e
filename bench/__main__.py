"""`python -m bench` and the command `bench`."""

import gc
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
    code = run(sys.argv[1:])
    gc.freeze()  # a search for garbage at the end would only take time
    sys.exit(code)


if __name__ == "__main__":
    main()

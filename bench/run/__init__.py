"""Running a suite: the worker (a child process), its isolation (the parent), the session over all cells."""

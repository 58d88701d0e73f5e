"""The receiver over HTTP: what comes in is limited before it is read, and answered with what to do."""

"""The commands of `centertrack`, one file each.

A command has a SUMMARY of one line, a DESCRIPTION, an EPILOG, `add_arguments(parser)` and `run(options) -> exit code`.
Its module imports what is heavy inside `run`, so that help and version come at once.
"""

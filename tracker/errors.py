"""The one error that means: the input is at fault, not the program."""


class InputError(ValueError):
    """A file, folder, row or option that a user gave cannot be used.

    The message is one clear sentence: what was expected, what came, where (file:line) and what to do. The command line
    prints it and exits with code 2, without a traceback.
    """


class MissingPackageError(InputError, ImportError):
    """A task needs an optional package that is not installed; the message has the command that installs it."""

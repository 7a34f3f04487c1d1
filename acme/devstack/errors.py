"""What can go wrong while engines and processes are started; the message is one line for the user."""


class CannotStart(RuntimeError):
    """Something needed is missing, taken or broken; the message says what to do. `up` ends with 3."""


class NotSuitable(Exception):
    """A native server that is passed over; the message says why."""

"""The commands of ``kalshi-tui``: for people at a terminal, and for scripts.

A command is a module named for it, with a function ``add`` and a line in `commands.COMMAND_MODULES`. These modules are
imported at every start, so that ``--help`` knows them, and are light: what costs time to import stands in the functions
that run, or in a module of its own beside the command's (`order_run` for `order`), imported when the command runs.
"""

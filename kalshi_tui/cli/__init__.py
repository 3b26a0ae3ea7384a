"""The commands of ``kalshi-tui``: for people at a terminal, and for scripts.

A command is a module with a function ``add`` and a line in `commands.COMMAND_MODULES`. Modules of commands are light:
what costs
time to import stands in the functions that run, so that ``--help`` is quick.
"""

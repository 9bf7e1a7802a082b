"""The subcommands of the command line: each module has ``configure(parser)`` and ``run(args)``."""

"""The command line, one module per command or family of commands.

Reading order: `parser` (which commands there are), `context` (what every command is given),
`client` (talking to the running proxy), `output` (tables and JSON), then the commands. A command
imports what it needs when it runs, so that `cutover --help` and the small ones start quickly.
"""

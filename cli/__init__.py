"""The command line: commands parse, call the library and return data; one renderer prints.

`main` runs one command; `app` is the table of commands, `commands/` holds one file for each. What
the process gives (streams, terminal, arguments) is in a `Session`, which tests replace.
"""

def add_commands(verb, say):
    pass

"""The guided tour: real customers on the real stack, a real difference, a real failure, a rollback.

`customers` says what a customer does next, `traffic` lets many of them do it, `admin` asks the
controller, `tour` is the script, act by act.
"""

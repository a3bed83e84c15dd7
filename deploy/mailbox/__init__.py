"""A mail server that delivers to nobody: every mail becomes a file, to be looked at.

- `conversation`  (pure) SMTP (RFC 5321), line by line
- `server`        the conversation over TCP, and a file for each mail

    python -m deploy.mailbox --port 8025 --folder .run/mail
"""

"""Reaching an application: instances, bounded pools of connections, one answer at a time."""

"""Recorded traffic against two applications: the test before the cutover.

Reading order: `recorded` (what all formats give), one module for each format, `reading` (which one
it is), `traffic` (files one after the other); `hosts` and `paced` (how both sides are asked);
`progress` (what survives a kill), `run` (asking both sides and comparing).
"""

# SPDX-License-Identifier: GPL-3.0-or-later
"""A datacenter on one machine; docs/lab.md says what is in it and why."""

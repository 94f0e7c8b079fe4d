"""The first version."""

from conformance.plugin import define

room = define(1)

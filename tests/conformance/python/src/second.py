"""The second version: it takes states of the first one and its own, and no others."""

from conformance.plugin import define

room = define(2)

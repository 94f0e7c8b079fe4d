"""The reference plugin of the Python SDK: `tests/conformance/README.md` says what it does, this is how."""

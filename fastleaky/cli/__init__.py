"""The command ``python -m fastleaky``."""

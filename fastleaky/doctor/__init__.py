"""What a model file's leaky ReLUs and PReLUs are, cost and differ in: ``python -m fastleaky doctor MODEL``."""

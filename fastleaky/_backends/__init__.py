"""The backends, the choice between them, and what they share: threads, the size of the cache, the self-test."""

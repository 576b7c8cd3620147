"""Golden vectors: inputs and the specification's answers, to compare firmware and other implementations with."""

"""The calls that the fuzzer makes, and how it makes them through each door: in a module of its name, with a DOOR."""

"""Data checks: tables are read, validated by a Great Expectations suite, and the answer is a value.

Great Expectations takes seconds to import, so this door imports nothing: `validation` does, `readers`
and `results` do not.
"""

"""Data checks: tables are read, held against a Great Expectations suite, and the answer is a value.

Great Expectations takes seconds to import, so this door imports nothing: `suites` and `validation` do, `readers`
and `values` do not.
"""

"""The ways of a change: from a commit to the dev gate, and from a build that passed it to production traffic."""

"""From declared assets to a workspace that has them: the one door to azure-ai-ml.

`connection.connect` comes first and imports azure-ai-ml itself; the others import it at once: import them after it.
"""

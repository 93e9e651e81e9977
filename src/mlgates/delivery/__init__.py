"""From declared assets to a workspace that holds them: the one door to azure-ai-ml.

`connect` comes first and imports azure-ai-ml itself; the other modules import it at once, so import them after it.
"""

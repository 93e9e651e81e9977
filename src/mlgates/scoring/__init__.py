"""How a deployed model is asked: requests, answers, and the endpoint over HTTPS; nothing of how it was deployed."""

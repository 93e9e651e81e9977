"""Online endpoints: their ARM routes, the deployments that serve behind them, and the router in front."""

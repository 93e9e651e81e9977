"""Online endpoints: their ARM face, the deployments that serve behind them, and the router in front."""

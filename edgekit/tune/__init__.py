"""Training: the only part that needs PyTorch."""

"""What this computer is and how it fares: its processor, memory, control groups, GPUs, heat and power."""

"""The parts of the Docker engine double. Standard library only."""

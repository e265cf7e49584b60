"""The service as a container's image: its build context, written at home, and what runs inside of the container."""

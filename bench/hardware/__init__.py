"""What is in this machine: devices, their catalog entries, and the software around them."""

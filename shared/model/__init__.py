"""What travels between the layers: frozen values, no behaviour beyond their own consistency."""

"""Suite files in, cells and expectations out. Pure."""

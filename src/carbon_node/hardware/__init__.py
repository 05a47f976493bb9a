"""What is known of named hardware."""

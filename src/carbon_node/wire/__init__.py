"""What travels: samples, their DDS types and quality of service, topics, extra_data."""

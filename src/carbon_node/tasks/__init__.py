"""What a task is: key, summary, decision, answer; tasks met before; the digest of inputs."""

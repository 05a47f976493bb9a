"""Live providers, a module each: it satisfies `intensity.provider.Provider`, and knows no other."""

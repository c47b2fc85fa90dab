"""Load tests of databases: how many agents one carries, how it degrades, what it stores."""

"""What is measured in the same way on several backends; a group makes rows of it."""

"""What pools will need weeks ahead, and what adding to them or widening the range would change."""

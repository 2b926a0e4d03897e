"""What people do in the console: always an event on the feedback topic, never a change of state."""

"""What a text model of the simulator writes: the shape that a prompt asks for, its subject, words about it."""

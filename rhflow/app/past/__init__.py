"""What is there from earlier runs: their history, what can be taken up, what is stored."""

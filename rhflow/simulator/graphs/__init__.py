"""Graphs of ComfyUI: the saved ones, how they are checked and changed, what they make, what that costs."""

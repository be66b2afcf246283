"""The sample story and the doubles it plays against; nothing here leaves the machine."""

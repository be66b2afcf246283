"""The ground floor: values in, decisions out; no input, no output, no clock."""

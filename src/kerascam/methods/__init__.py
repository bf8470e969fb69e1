"""The methods: one file for each family, each function beside the class that is bound to it."""

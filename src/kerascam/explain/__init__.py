"""From a model and images to an explanation: the explainer, its compiled programs, the result."""

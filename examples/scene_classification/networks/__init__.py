"""The residual network, transfer learning, and the reference model."""

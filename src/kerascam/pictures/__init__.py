"""From maps and photographs to pixels and figures, without TensorFlow."""

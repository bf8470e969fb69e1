"""TensorFlow's errors, put in other words by what they mean."""

import tensorflow as tf

GraphError = tf.errors.OpError
BadArgumentError = tf.errors.InvalidArgumentError
OutOfMemoryError = tf.errors.ResourceExhaustedError

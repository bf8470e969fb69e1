"""The errors of TensorFlow's that are told in other words, by what they mean."""

import tensorflow as tf

DOES_NOT_FIT = tf.errors.InvalidArgumentError
OUT_OF_MEMORY = tf.errors.ResourceExhaustedError
ANY = tf.errors.OpError

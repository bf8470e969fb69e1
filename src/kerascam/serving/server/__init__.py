"""A model server for development: SavedModels behind the REST interface of TensorFlow Serving."""

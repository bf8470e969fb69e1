"""The client of a model server, over REST or gRPC."""

"""The shapes of answers for the OpenAPI document, one module per resource; `queries.api.answers` makes the values.

They render nothing: a test holds every answer against them.
"""

"""The projection runtime: turns the event stream into documents. It knows no aggregate."""

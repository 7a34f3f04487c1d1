"""The demo shop: made-up goods, people and orders, built as commands that go through the handlers like any other."""

"""Stock of one warehouse: received, adjusted, reserved, released, shipped."""

"""The ground floor (contracts, bus, engines, HTTP manners) and the roof (settings, wiring) of the shop."""

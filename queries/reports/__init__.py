"""Reports: sums over `sales_by_day`, made by the store in one aggregation each."""

DROP STATISTICS sync_run_of_account;
DROP STATISTICS order_line_of_product;
DROP STATISTICS order_line_of_account;
DROP STATISTICS stock_movement_of_product;
DROP STATISTICS stock_level_of_warehouse;
DROP STATISTICS stock_level_of_product;
DROP STATISTICS stock_level_of_account;
DROP STATISTICS product_of_account;

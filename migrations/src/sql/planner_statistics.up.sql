-- PostgreSQL only. What belongs to an account belongs to its tenant. The planner takes the two for independent, expects
-- next to nothing of an account, and then sorts all its rows for a page instead of walking an index in order.
CREATE STATISTICS product_of_account (dependencies) ON tenant_id, account_id FROM product;
CREATE STATISTICS stock_level_of_account (dependencies) ON tenant_id, account_id FROM stock_level;
CREATE STATISTICS stock_level_of_product (dependencies) ON tenant_id, product_id FROM stock_level;
CREATE STATISTICS stock_level_of_warehouse (dependencies) ON tenant_id, warehouse_id FROM stock_level;
CREATE STATISTICS stock_movement_of_product (dependencies) ON tenant_id, product_id FROM stock_movement;
CREATE STATISTICS order_line_of_account (dependencies) ON tenant_id, account_id FROM order_line;
CREATE STATISTICS order_line_of_product (dependencies) ON tenant_id, product_id FROM order_line;
CREATE STATISTICS sync_run_of_account (dependencies) ON tenant_id, account_id FROM sync_run;

DROP TABLE order_day;
DROP TABLE order_line;
DROP TABLE stock_movement;
DROP TABLE stock_level;
DROP TABLE stock_reading;
DROP TABLE sync_step;
DROP TABLE sync_run;

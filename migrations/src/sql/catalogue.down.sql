DROP TABLE variant_barcode;
DROP TABLE variant;
DROP TABLE product;
DROP TABLE warehouse;
DROP TABLE account_reading;
DROP TABLE account_schedule;
DROP TABLE marketplace_account;
